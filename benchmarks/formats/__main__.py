"""Measure how fast topics of each format come into tables, beside peers that read JSON, in one run.

Exits with 1 when JSON of 500 bytes takes longer than it should, a record is not one row, or the memory of an
ingest that works off a backlog of JSON goes beyond its bound.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks import results
from benchmarks.broker import own_cell
from benchmarks.clocked import ContestantFailedError
from benchmarks.formats.backlog import PARTITIONS, backlog
from benchmarks.formats.document import document, page
from benchmarks.formats.fill import fill
from benchmarks.formats.forms import FORMS, product_of
from benchmarks.ingest.contestants import contestant
from benchmarks.ingest.measure import Run, measure
from benchmarks.ingest.work import Topic
from benchmarks.options import options_of
from pipeline.cells import embedded_cell
from pipeline.clock import utc_now

PEERS = (("loop", "exactly_once"), ("spark_streaming", ""))
WARM_UP = 0.05
EXAMPLES = """\
examples:
  make bench-formats                                             every format, three runs (15 min)
  python -m benchmarks.formats --events 90000 --repeats 1 --backlog 90000 --out /tmp/f  a short one
"""


def main() -> int:
    """Measure, write result and page, and return the exit code."""
    options = options_of("formats", __doc__, EXAMPLES)
    options.add_argument("--forms", nargs="+", default=list(FORMS), choices=list(FORMS))
    options.add_argument("--events", type=int, default=500_000, help="of each format (500,000)")
    options.add_argument("--bytes", type=int, default=500, help="a value, about (500)")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--no-peers", action="store_true", help="Headwater alone")
    options.add_argument(
        "--backlog", type=int, default=3_000_000, help="events of JSON, for memory (3,000,000)"
    )
    options.add_argument("--out", type=Path, help="folder for result and page")
    chosen = options.parse_args()
    runs: list[tuple[str, Run]] = []
    sizes: dict[str, float] = {}
    peers = () if chosen.no_peers else PEERS
    for name, _ in peers:
        contestant(name).ready(_say)
    with own_cell(_say) as (root, cell):
        topics = {}
        until = int(utc_now().timestamp() * 1_000_000)
        for form in chosen.forms:
            _say(f"filling {form}")
            pair = []
            # A registry of its own: what it registers first has the id that each run gives it again.
            own = embedded_cell(root / f"{form}-filled", "us", cell.bootstrap_servers)
            for name, events in (
                (f"{form}_warm", round(chosen.events * WARM_UP)),
                (form, chosen.events),
            ):
                product = product_of(form, root / "contracts", name, PARTITIONS)
                sizes[form] = fill(own, product, form, events, chosen.bytes, until)
                pair.append(Topic(name, events, PARTITIONS, str(product.folder)))
            topics[form] = (pair[0], pair[1]), product
        # In turn rather than one after the other, so that what changes on the machine hits all.
        for repeat in range(chosen.repeats):
            for form, (both, product) in topics.items():
                for name, variant in (("headwater", "all_on"), *(peers if form == "json" else ())):
                    folder = root / f"{form}-{name}-{repeat}"
                    try:
                        run = measure(
                            name, variant, product, both, cell.bootstrap_servers, folder,
                            value_bytes=chosen.bytes, repeat=repeat,
                        )  # fmt: skip
                    except ContestantFailedError as error:
                        _say(f"{form}, {name} failed: {error}")
                        continue
                    finally:
                        shutil.rmtree(folder, ignore_errors=True)
                    runs.append((form, run))
                    _say(f"{form}, {name}: {run.events / run.seconds:,.0f} events/s")
        folder = root / "backlog"
        behind = backlog(cell, folder, "json", chosen.backlog, chosen.bytes, _say)
    result = document(runs, sizes, chosen.bytes, behind)
    results.publish(result, "formats", chosen.out, page(result))
    return 0 if result["met"] else 1


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
