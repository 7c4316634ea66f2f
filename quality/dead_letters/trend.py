"""Dead letters by the hour: a chart among the cell's Data Docs, and a line of text without them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.cells import Cell
from pipeline.files import write_atomically
from pipeline.svg import COLOURS, document, text
from quality.data_docs import KEPT, site
from quality.dead_letters.review import HourOfLetters, Review

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 56, 34
OPEN, SETTLED = COLOURS[1], COLOURS[2]
_BARS = "▁▂▃▄▅▆▇█"

_log = logging.getLogger(__name__)


def publish_trend(cell: Cell, product: str, review: Review, run_id: str) -> str | None:
    """Draw the review's hours into the cell's Data Docs, which keep the newest of each product.

    Returns its path below the site; None if it cannot be written, which is no reason to fail a run.
    """
    folder = Path("pictures", f"{product}.dead_letters")
    target = site(cell) / folder / f"{run_id}.svg"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, trend_chart(f"Dead letters of {product}", review.hours))
        drawn = sorted(target.parent.glob("*.svg"), key=lambda one: one.stat().st_mtime)
        for old in drawn[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("Dead letters of %s are not drawn: %s", product, error)
        return None
    return (folder / target.name).as_posix()


def trend_chart(title: str, hours: Sequence[HourOfLetters]) -> str:
    """Return an SVG document: a bar an hour, its open dead letters below those that are not."""
    highest = max((one.letters for one in hours), default=0) or 1
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT - RIGHT) / max(1, len(hours))
    body = [text(14, 22, title, "start", 'font-size="15" font-weight="bold"')]
    for place, (said, colour) in enumerate((("open", OPEN), ("not open any more", SETTLED))):
        across = LEFT + 90 * place
        body.append(f'<rect x="{across}" y="32" width="12" height="10" fill="{colour}"/>')
        body.append(text(across + 16, 41, said, "start"))
    for count in (0, highest):
        y = floor - count / highest * room
        body.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        body.append(text(LEFT - 6, y + 4, f"{count:,}", "end"))
    for number, one in enumerate(hours):
        x = LEFT + number * step
        if one.hour.hour == 0:
            body.append(text(x, floor + 18, f"{one.hour:%d %b}", "middle", 'font-size="10"'))
        below = one.open / highest * room
        for tall, base, colour in (
            (below, floor, OPEN),
            ((one.letters - one.open) / highest * room, floor - below, SETTLED),
        ):
            if tall:
                body.append(
                    f'<rect x="{x:.1f}" y="{base - tall:.1f}" width="{step * 0.9:.1f}" '
                    f'height="{tall:.1f}" fill="{colour}"/>'
                )
    # In a table of Dagster's UI a chart without a size is not seen.
    return document(title, WIDTH, HEIGHT, body, fixed=True)


def trend_line(hours: Sequence[HourOfLetters]) -> str:
    """Return dead letters by the hour as one line of text; empty hours are low."""
    highest = max((one.letters for one in hours), default=0) or 1
    return "".join(_BARS[round(one.letters / highest * (len(_BARS) - 1))] for one in hours)
