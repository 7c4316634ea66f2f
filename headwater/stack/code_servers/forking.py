"""Dagster's command line, with a code server that forks its runs from a process that has imported the code.

Usage: as `python -m dagster`; `serve` has it serve the code of a location. A run is at work within a second
or two of processor time; in an interpreter of its own, it took eight or nine to import what it needs.
"""

from __future__ import annotations

import runpy
import sys

from assets.dagster_private.processes import fork_runs
from headwater.stack.dagster.plain_logs import plain_logs

PRELOAD = "headwater.stack.code_servers.preload"


def main() -> None:
    """Run Dagster's command line."""
    plain_logs()
    fork_runs(PRELOAD)
    sys.argv[0] = "dagster"
    runpy.run_module("dagster", run_name="__main__")


if __name__ == "__main__":
    main()
