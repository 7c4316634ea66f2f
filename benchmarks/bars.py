"""Bar charts as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pipeline.svg import document

WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 860, 330, 90, 16, 5, 26
OURS, THEIRS = "#1b6ca8", "#8d96a3"


@dataclass(frozen=True)
class Bar:
    """One bar, and whether it is to stand out."""

    name: str
    value: float
    ours: bool


def bars(title: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Return an SVG document: groups one below the other, each to a scale of its own from 0."""
    out: list[str] = []
    y = 40
    for name, members in groups:
        out.append(_text(14, y + 12, name, 'font-weight="bold"'))
        y += HEAD
        most = max((bar.value for bar in members), default=0.0) or 1.0
        for bar in members:
            long = bar.value / most * (WIDTH - LEFT - RIGHT)
            colour = OURS if bar.ours else THEIRS
            out += [
                _text(LEFT - 8, y + 12, bar.name, 'text-anchor="end"'),
                f'<rect x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR}" fill="{colour}"/>',
                _text(LEFT + long + 6, y + 12, f"{bar.value:,.0f}"),
            ]
            y += BAR + GAP
        y += GAP
    head = _text(14, 22, title, 'font-size="15" font-weight="bold"')
    return document(title, WIDTH, y + 8, [head, *out])


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" fill="#22272e" {more}>{escape(text)}</text>'
