"""Line charts as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from pipeline.svg import COLOURS, document, text

WIDTH, HEIGHT = 860, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 54, 46
TICKS = 6
LETTER = 7
"""About how wide a letter of a name is."""


@dataclass(frozen=True)
class Line:
    """One line: its name and its points (x, y), in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Limit:
    """A dashed horizontal line."""

    name: str
    y: float


def chart(title: str, x: str, y: str, lines: Sequence[Line], limits: Sequence[Limit] = ()) -> str:
    """Return an SVG document; both axes begin at 0. `x` and `y` name the axes, with their units."""
    points = [point for line in lines for point in line.points]
    right = max([p[0] for p in points] + [1e-3])
    highest = max([p[1] for p in points] + [limit.y for limit in limits] + [1e-3])
    top = ceil(highest / _step(highest)) * _step(highest)

    def at(point: tuple[float, float]) -> str:
        across = LEFT + point[0] / right * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - point[1] / top * (HEIGHT - TOP - BOTTOM)
        return f"{across:.1f},{down:.1f}"

    out = [
        text(LEFT, 20, title, "start", 'font-size="15" font-weight="bold"'),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x, "middle"),
        f'<g transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">'
        f"{text(0, 0, y, 'middle')}</g>",
    ]
    for tick in _ticks(top):
        down = at((0.0, tick)).split(",")[1]
        out += [
            f'<path d="M{LEFT},{down}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>',
            text(LEFT - 6, float(down) + 4, f"{tick:g}", "end"),
        ]
    for tick in _ticks(right):
        across = at((tick, 0.0)).split(",")[0]
        out.append(text(float(across), HEIGHT - BOTTOM + 16, f"{tick:g}", "middle"))
    for limit in limits:
        across, down = at((right, limit.y)).split(",")
        out += [
            f'<path d="M{LEFT},{down}H{across}" stroke="#333333" stroke-dasharray="6 4"/>',
            text(float(across) - 4, float(down) - 4, limit.name, "end"),
        ]
    place = LEFT
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(at(point) for point in line.points)
        out += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<path d="M{place},38h22" stroke="{colour}" stroke-width="3"/>',
            text(place + 28, 42, line.name, "start"),
        ]
        place += max(150, 44 + LETTER * len(line.name))
    return document(title, WIDTH, HEIGHT, out)


def _ticks(end: float) -> list[float]:
    """Return round numbers from 0 to `end`, about `TICKS` of them."""
    step = _step(end)
    return [n * step for n in range(int(end / step + 1e-9) + 1)]


def _step(end: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at least a `TICKS`th of `end`."""
    power: float = 10.0 ** floor(log10(end / TICKS))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= end / TICKS)
