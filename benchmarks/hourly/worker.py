"""A contestant in its own process, which `benchmarks.clocked` starts and tells when to go."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

from benchmarks.hourly.contestants import contestant
from benchmarks.hourly.prepare import cell_in
from benchmarks.served import own_words, serve


def main() -> None:
    """Warm up in one cell, run in another, and write its own figures down."""
    words = own_words()
    name, hour, small, large, told = sys.argv[1:]
    cell, of_warm_up = cell_in(Path(large)), cell_in(Path(small))
    runner = contestant(name).start(cell, datetime.fromisoformat(hour))
    try:
        serve(
            words,
            lambda: _ignore(runner.run(of_warm_up)),
            lambda: _ignore(Path(told).write_text(json.dumps(runner.run(cell)))),
        )
    finally:
        runner.close()


def _ignore(_value: object) -> None:
    return


if __name__ == "__main__":
    main()
