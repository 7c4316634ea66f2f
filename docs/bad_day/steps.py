"""What the operator does: each command with why, in the order of the day."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from docs.bad_day.deploy import PRODUCER

FIX = "watch_duration=cast(floor(watched_ms / 1000) as int)"
OURS = ("--producer", PRODUCER)
UNLISTED = ("--reason", "unlisted_schema", *OURS)
CUT = ("--reason", "undecodable", *OURS)


@dataclass(frozen=True)
class Step:
    """One command and what it printed.

    Attributes:
        says: what the operator thinks, for the page.
        command: the words after `headwater`.
        codes: exit codes that are as they should be.
    """

    says: str
    command: tuple[str, ...]
    codes: tuple[int, ...] = (0,)


Run = Callable[[Step], str]
"""Runs a step and returns what it printed; raises if it ended with another code."""


def morning(product: str, run: Run) -> Iterator[str]:
    """Find, mend, try, replay and discard; yield the id of each action when it is done."""
    letters = ("dead-letters", "count", product)
    run(
        Step(
            "The ledger balances: what cannot be read is counted, and stops nothing.",
            ("ledger", product),
        )
    )
    run(
        Step(
            "Which dead letters are open, and whose are they?",
            (*letters, "--fate", "open", "--by", "reason", "--by", "producer"),
        )
    )
    listed = run(
        Step(
            "All of one producer. The newest of each reason:",
            ("dead-letters", "list", product, *UNLISTED, "--limit", "3"),
        )
    )
    run(Step("What does one hold?", ("dead-letters", "show", product, _place(listed))))
    cut = run(Step("And the others?", ("dead-letters", "list", product, *CUT, "--limit", "3")))
    run(
        Step(
            "Their bytes end in the middle of a field: nothing can be made of them.",
            ("dead-letters", "show", product, _place(cut)),
        )
    )
    replay = ("dead-letters", "replay", product, *UNLISTED)
    run(
        Step(
            "Would those of the new schema pass as they are?",
            (*replay, "--dry-run"),
            codes=(1,),
        )
    )
    run(
        Step(
            "They say milliseconds where the contract wants seconds. With that mended?",
            (*replay, "--fix", FIX, "--dry-run"),
        )
    )
    why = "INC-41: player 41 writes watched_ms"
    done = run(Step("All of them. Replay:", (*replay, "--fix", FIX, "--why", why, "--by", "ann")))
    yield _action(done)
    discarded = run(
        Step(
            "The cut ones are discarded, with a reason that stays.",
            (
                "dead-letters",
                "discard",
                product,
                *CUT,
                "--why",
                "INC-41: cut by player 41",
                "--by",
                "ann",
            ),
        )
    )
    yield _action(discarded)


def evening(product: str, action: str, run: Run) -> None:
    """Look at what became of it, once it is ingested."""
    run(
        Step(
            "What became of the replayed ones?",
            ("dead-letters", "count", product, "--action", action),
        )
    )
    run(Step("Is anything open?", ("dead-letters", "count", product, "--by", "fate")))
    run(Step("Who did what?", ("dead-letters", "actions", product)))
    run(
        Step(
            "And the books, recounted by another client, record by record:",
            ("ledger", product, "--verify"),
        )
    )


def _place(printed: str) -> str:
    return _found(r"\b(\d+/\d+)\b", printed)


def _action(printed: str) -> str:
    return _found(r"\b((?:replay|discard)-\d{8}T\d{6}-[0-9a-f]+)\b", printed)


def _found(pattern: str, printed: str) -> str:
    found = re.search(pattern, printed)
    if found is None:
        raise ValueError(f"nothing of {pattern} in: {printed}")
    return found[1]
