"""A year in hours: commits, publications, ticks, commands and upkeep, each timed, on a clock that is set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.soak.commits import BatchWriter
from benchmarks.soak.hour import work_an_hour
from benchmarks.soak.model import Order, Sample, Took
from benchmarks.soak.sizes import Sizes
from pipeline.cells import Cell
from pipeline.contract.model import Product


def soak(
    folder: Path, cell: Cell, product: Product, order: Order, say: Callable[[str], None]
) -> Iterator[Sample]:
    """Yield an hour after the other, going on where one in `folder` ended, whose hours come first."""
    kept = folder / "samples.jsonl"
    done = _kept(kept)
    yield from done
    folder.mkdir(parents=True, exist_ok=True)
    writer = BatchWriter(cell, product)
    with kept.open("a") as out:
        for hour in range(len(done), order.hours):
            sample = work_an_hour(cell, product, order, hour, writer)
            out.write(json.dumps(asdict(sample)) + "\n")
            out.flush()
            yield sample
            if (hour + 1) % max(order.hours // 100, 1) == 0:
                say(_progress(order, sample))


def _kept(path: Path) -> list[Sample]:
    if not path.exists():
        return []
    # A line that its writer did not live to end is not one.
    whole = path.read_text().rpartition("\n")[0]
    path.write_text(f"{whole}\n" if whole else "")
    found = []
    for line in whole.splitlines():
        fields = json.loads(line)
        sizes = fields.pop("sizes")
        commits = tuple(Took(*took) for took in fields.pop("commits"))
        timed = {name: Took(*took) for name, took in fields.pop("timed").items()}
        found.append(
            Sample(
                **fields,
                commits=commits,
                timed=timed,
                sizes=None if sizes is None else Sizes(**sizes),
            )
        )
    return found


def _progress(order: Order, sample: Sample) -> str:
    commits = sorted(took.wall_s for took in sample.commits) or [0.0]
    timed = ", ".join(f"{name} {took.wall_s * 1000:.0f} ms" for name, took in sample.timed.items())
    return (
        f"hour {sample.hour + 1:,} of {order.hours:,}: {order.commits_until(sample.hour + 1):,} commits, "
        f"{commits[len(commits) // 2] * 1000:.0f} ms each; {timed}"
    )
