"""Examining cells: all checks beside each other, each with its limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from headwater.doctor.model import Check, Finding, Outcome, Setup, wrong
from pipeline.errors import ExitCode, HeadwaterError
from pipeline.settings import Settings

LIMIT_S = 6.0
"""When this is over, what has not ended is told as a finding."""

Found = TypeVar("Found")


def examine(
    settings: Settings, cell: str, checks: Sequence[Check], limit_s: float = LIMIT_S
) -> tuple[Finding, ...]:
    """Return what `checks` find of a cell within about `limit_s` seconds, in their order, settings first.

    Nothing is made or changed; probes of folders are removed again. A check that has not ended by then goes
    on waiting in a thread that does not keep the process.
    """
    from headwater.doctor.settings import SETTINGS, read_setup

    deadline = time.monotonic() + limit_s
    reading = _beside(lambda: read_setup(settings, cell))
    try:
        setup, found = reading.result(limit_s)
    except TimeoutError:
        return (_unanswered(SETTINGS, cell, limit_s),)
    except Exception as error:  # noqa: BLE001 - of one cell; the others are examined beside it
        setup, found = None, (_unnamed(SETTINGS, error),)
    if setup is None:
        after = f"{SETTINGS} are not well."
        return (*found, *(Finding(one.name, Outcome.NOT_ASKED, "", after) for one in checks))
    asked: dict[str, Future[tuple[Finding, ...]]] = {}
    for check in checks:
        before = asked.get(check.after) if check.after else None
        asked[check.name] = _beside(_asking(check, setup, before))
    for check in checks:
        try:
            found += asked[check.name].result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            waits = check.after in asked and not asked[str(check.after)].done()
            found += (_not_asked(check) if waits else _unanswered(check.name, cell, limit_s),)
    return found


def _asking(
    check: Check, setup: Setup, before: Future[tuple[Finding, ...]] | None
) -> Callable[[], tuple[Finding, ...]]:
    def ask() -> tuple[Finding, ...]:
        if before is not None and any(one.outcome is not Outcome.WELL for one in before.result()):
            return (_not_asked(check),)
        try:
            return check.ask(setup)
        except HeadwaterError as error:
            return (wrong(check.name, error),)
        except Exception as error:  # noqa: BLE001 - one check that breaks hides none of the others
            return (_unnamed(check.name, error),)

    return ask


def _beside(ask: Callable[[], Found]) -> Future[Found]:
    """Run `ask` in a thread that ends with the process, whatever it waits for."""
    future: Future[Found] = Future()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _not_asked(check: Check) -> Finding:
    return Finding(check.name, Outcome.NOT_ASKED, "", f"{check.after} is not well.")


def _unanswered(check: str, cell: str, limit_s: float) -> Finding:
    return Finding(
        check,
        Outcome.WRONG,
        f"cell {cell}",
        f"no answer within {limit_s:.0f} s.",
        "See what holds it: a lock of another process, a host that drops packets, a store that is slow.",
        "TimeoutError",
        ExitCode.RETRYABLE,
        unanswered=True,
    )


def _unnamed(check: str, error: Exception) -> Finding:
    kind = type(error).__name__
    return Finding(
        check,
        Outcome.WRONG,
        kind,
        f"{error}",
        "This error has no name yet: report it, with the settings that bring it about.",
        kind,
        ExitCode.TERMINAL,
    )
