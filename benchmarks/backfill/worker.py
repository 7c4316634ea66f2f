"""A contestant in its own process, which `benchmarks.clocked` starts and tells when to go."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.backfill.contestants import contestant
from benchmarks.backfill.work import load_work
from benchmarks.served import own_words, serve


def main() -> None:
    """Warm up, run, end."""
    words = own_words()
    work = load_work(Path(sys.argv[1]))
    runner = contestant(work.contestant).start(work)
    try:
        serve(words, lambda: runner.run(work.warm_up), lambda: runner.run(work.live))
    finally:
        runner.close()


if __name__ == "__main__":
    main()
