"""What every chart of ours begins and ends with, as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

COLOURS = ("#1b6ca8", "#d1495b", "#8d96a3", "#2e8b57", "#edae49", "#66418a")


def document(
    title: str,
    width: int,
    height: int,
    body: Iterable[str],
    *,
    fixed: bool = False,
    background: str | None = "#ffffff",
    more: str = 'role="img"',
) -> str:
    """Return an SVG document, on white or another colour; `title` is its accessible name, and not drawn.

    A `fixed` one has a size of its own; another takes the room that it is given. `more` are attributes.
    """
    size = f'width="{width}" height="{height}" ' if fixed else ""
    behind = f'<rect width="{width}" height="{height}" fill="{background}"/>' if background else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'{size}font-family="sans-serif" font-size="12" {more}>',
            f"<title>{escape(title)}</title>",
            *([behind] if behind else []),
            *body,
            "</svg>\n",
        ]
    )


def curve(left: float, up: float, right: float, down: float) -> str:
    """Return the path of a line that leaves one place to the right and comes to another from the left."""
    middle = (left + right) / 2
    return f"M{left:g},{up:g}C{middle:g},{up:g} {middle:g},{down:g} {right:g},{down:g}"


def text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    """Return a line of text; `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'.replace(
        " >", ">"
    )
