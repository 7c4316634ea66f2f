"""A contestant in its own process: started by `measure`, told over its standard input.

It says `ready` once warm, begins on the line `go`, says `done` right after its last commit, and ends
on the next line. So whoever started it can look at its whole family of processes at both moments.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.ingest.contestants import contestant
from benchmarks.ingest.work import TABLE, WARM_UP, load_work


def main() -> None:
    """Warm up, run, end."""
    # What a library or a JVM prints must not be taken for a word of ours.
    words = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    work = load_work(Path(sys.argv[1]))
    runner = contestant(work.contestant).start(work)
    try:
        runner.run(work.warm_up, WARM_UP)
        words.write("ready\n")
        if sys.stdin.readline():
            runner.run(work.topic, TABLE)
            words.write("done\n")
            sys.stdin.readline()
    finally:
        runner.close()


if __name__ == "__main__":
    main()
