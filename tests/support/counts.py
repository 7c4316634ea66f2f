"""What suites count while they run, for the last lines of a run, whichever of its processes counted it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

COUNTS: defaultdict[str, Counter[str]] = defaultdict(Counter)
"""What this process counted, or was told of: by the title of a suite, by what was counted."""


def plain() -> dict[str, dict[str, int]]:
    """Return what was counted as what one process can tell another."""
    return {suite: dict(counts) for suite, counts in COUNTS.items()}


def add(others: Mapping[str, Mapping[str, int]]) -> None:
    """Add what another process counted, as `plain` returns it there."""
    for suite, counts in others.items():
        COUNTS[suite].update(counts)


def sections() -> Iterator[tuple[str, list[str]]]:
    """Yield the titles of suites that counted something, each with its lines."""
    for suite, counts in sorted(COUNTS.items()):
        if counts:
            yield suite, [f"{count:>9,}  {what}" for what, count in sorted(counts.items())]
