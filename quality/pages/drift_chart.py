"""Drift charts: distributions of an hour beside those of the hour published last before."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.svg import COLOURS, document, text
from quality.drift import Distribution

WIDTH, HEIGHT = 600, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 44, 44
NOW, BEFORE = COLOURS[0], COLOURS[2]
MOST_BINS = 20


def drift_chart(title: str, distributions: Sequence[Distribution]) -> str:
    """Return an SVG document: a histogram a column, with the divergence and its limit written on it.

    Of a column with many values only the first `MOST_BINS` are drawn.
    """
    body = [text(14, 22, title, "start", 'font-size="15" font-weight="bold"')]
    for number, one in enumerate(distributions):
        down = 30 + number * HEIGHT
        body += [f'<g transform="translate(0 {down})">', *_histogram(one), "</g>"]
    # In a table of Dagster's UI a chart without a size is not seen.
    height = 30 + HEIGHT * len(distributions) + 8
    return document(title, WIDTH, height, body, fixed=True)


def drift_summary(one: Distribution) -> str:
    """Return what a column's drift comes to, in a line."""
    if not one.before or one.hour is None:
        return f"{one.column}: nothing to compare"
    moved = "without bound" if one.divergence is None else f"by {one.divergence:.3f} nats"
    return f"{one.column}: moved {moved} since {one.hour:%Y-%m-%d %H:%M} (at most {one.most:g})"


def _histogram(one: Distribution) -> list[str]:
    sides = [(side, colour) for side, colour in ((one.before, BEFORE), (one.now, NOW)) if side]
    highest = max((max(side[:MOST_BINS]) for side, _ in sides), default=0.0) or 1.0
    names = one.bins[:MOST_BINS]
    floor = HEIGHT - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / max(1, len(names))
    broad = step * 0.8 / max(1, len(sides))
    moved = bool(one.before) and (one.divergence is None or one.divergence > one.most)
    out = [
        text(LEFT, 18, drift_summary(one), "start", f'fill="{COLOURS[1] if moved else "#22272e"}"')
    ]
    for place, (said, colour) in enumerate((("the hour before", BEFORE), ("this hour", NOW))):
        across = WIDTH - RIGHT - 220 + 120 * place
        out.append(f'<rect x="{across}" y="26" width="12" height="10" fill="{colour}"/>')
        out.append(text(across + 16, 35, said, "start"))
    for share in (0.0, highest / 2, highest):
        y = floor - share / highest * (floor - TOP)
        out.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        out.append(text(LEFT - 6, y + 4, f"{share:.0%}", "end"))
    for number, name in enumerate(names):
        start = LEFT + number * step + step * 0.1
        for place, (side, colour) in enumerate(sides):
            tall = side[number] / highest * (floor - TOP)
            out.append(
                f'<rect x="{start + place * broad:.1f}" y="{floor - tall:.1f}" '
                f'width="{broad:.1f}" height="{tall:.1f}" fill="{colour}"/>'
            )
        middle = start + step * 0.4
        # Turns: every second name lower, so that they do not run into each other.
        out.append(
            text(middle, floor + 14 + 13 * (number % 2), name[:16], "middle", 'font-size="9"')
        )
    return out
