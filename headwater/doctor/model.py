"""What an examination is given, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.errors import ExitCode, HeadwaterError

if TYPE_CHECKING:
    from pipeline.cells import Cell
    from pipeline.contract.model import Product


class Outcome(StrEnum):
    """How a check ended."""

    WELL = "well"
    WRONG = "wrong"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Setup:
    """A cell whose settings can be used, and the products that live in it."""

    cell: Cell
    products: tuple[Product, ...]


@dataclass(frozen=True)
class Finding:
    """What one check found of one object.

    Attributes:
        check: the name of the check.
        subject: the object.
        what: what happened, or how it is well.
        remedy: what to do; empty where nothing is wrong.
        error: the name of the error, where something is wrong.
        exit_code: what a command that meets it ends with.
        unanswered: the check had not ended when its time was over, and may be waiting still.
    """

    check: str
    outcome: Outcome
    subject: str
    what: str
    remedy: str = ""
    error: str | None = None
    exit_code: ExitCode = ExitCode.OK
    unanswered: bool = False


@dataclass(frozen=True)
class Check:
    """One thing to ask.

    Attributes:
        name: what findings are listed under.
        ask: returns what it found, at least one; a HeadwaterError is a finding, too.
        after: the check without whose being well this one cannot tell anything.
    """

    name: str
    ask: Callable[[Setup], tuple[Finding, ...]]
    after: str | None = None


def well(check: str, subject: str, what: str) -> Finding:
    """Return that an object is well, and how."""
    return Finding(check, Outcome.WELL, subject, what)


def wrong(check: str, error: HeadwaterError) -> Finding:
    """Return what an error tells."""
    code = ExitCode(error.exit_code)
    kind = type(error).__name__
    return Finding(check, Outcome.WRONG, error.subject, error.what, error.remedy, kind, code)


def exit_code(findings: tuple[Finding, ...]) -> ExitCode:
    """Return 0 where all is well, 3 where something is wrong until somebody acts, else 4."""
    codes = {one.exit_code for one in findings if one.outcome is Outcome.WRONG}
    if not codes:
        return ExitCode.OK
    return ExitCode.RETRYABLE if codes == {ExitCode.RETRYABLE} else ExitCode.TERMINAL
