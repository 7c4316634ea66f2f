"""The transcript of the day as a page."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from docs.bad_day.steps import Step
from docs.bad_day.verdict import Verdict

UNRUN = "<!-- unrun: its day is over; tests/integration/test_bad_day.py plays one of its own -->"


def page(steps: Iterable[tuple[Step, str]], found: Verdict, seconds: float, rate: int) -> str:
    """Return the page: each command with why, and what it printed."""
    told = "\n\n".join(
        f"{step.says}\n\n{UNRUN}\n```console\n$ headwater {shlex.join(step.command)}\n{printed.rstrip()}\n```"
        for step, printed in steps
    )
    return f"""\
# A bad day, hour by hour

<!-- Written by `make bad-day`. -->

Version 41 of the player goes out: 5 % of {rate:,} records a second, for {seconds:g} seconds, are of a schema
that the contract does not list, or cut in the middle. Ingest goes on, hours are published from what is sound,
and nobody is woken. In the morning an operator works through it. What follows was run on a real stack, as it
stands here.

{told}

{found.mended:,} events of the bad deploy are rows, each once and with the seconds that it meant;
{found.discarded:,} were discarded. The hour that they are of had been published, and its tables were built
again: {found.rebuilt:,} builds.

[How to work with dead letters](dead-letters.md) tells what else there is.
"""
