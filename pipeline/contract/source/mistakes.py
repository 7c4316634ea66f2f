"""What is wrong with a contract: every mistake at once, each with its place and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TerminalError


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing to put right.

    Attributes:
        file: the file to edit.
        line: counted from 1.
        path: place within the document, e.g. `schema[0].properties[2].name`; empty for the whole.
        expected: what should be there, and what was found.
        column: counted from 1; 0 where the whole line is meant.
    """

    file: Path
    line: int
    path: str
    expected: str
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:" + (f"{self.column}:" if self.column else "")
        return f"{place}{f' {self.path}:' if self.path else ''} {self.expected}"


@dataclass(frozen=True)
class Findings:
    """What a check found.

    Attributes:
        mistakes: what is to be put right.
        warnings: what works, and not as one might think.
    """

    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Mistake, ...] = ()


class ContractError(TerminalError):
    """A contract cannot be used.

    Attributes:
        mistakes: all that were found, ordered by file and line; never empty.
    """

    def __init__(self, subject: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        count = len(self.mistakes)
        listed = "".join(f"\n  {mistake}" for mistake in self.mistakes)
        super().__init__(
            f"{count} mistake{'s' if count != 1 else ''} in the contract.",
            subject=subject,
            remedy=f"Correct what is listed:{listed}",
        )
