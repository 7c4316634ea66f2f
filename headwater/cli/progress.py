"""How far a command is: a line on a terminal's standard error, which goes when it is done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]
"""Tells that so many more are done."""


class Line:
    """A line on a terminal's standard error, written anew; nothing if quiet, or where there is none."""

    def __init__(self, *, quiet: bool) -> None:
        """Begin with nothing."""
        self._shown = not quiet and sys.stderr.isatty()
        self._any = False

    def tell(self, text: str) -> None:
        """Write the line anew."""
        if self._shown:
            self._any = True
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    def end(self) -> None:
        """Leave the line as it is."""
        if self._any:
            click.echo("", err=True)


def left(count: float, rate: float) -> str:
    """Return how long `count` more take at a rate a second, to stand behind it; nothing where none tells."""
    if rate <= 0:
        return ""
    seconds = max(1, round(count / rate))
    return f", {seconds} s left" if seconds < 120 else f", {round(seconds / 60):,} min left"


PATIENCE_S = 1.0
"""What is done sooner shows nothing."""


@contextmanager
def progress(what: str, total: int | None = None, *, quiet: bool) -> Iterator[Advance]:
    """Show `what` is done, for how long, and of a `total` how many are done and how long the rest takes.

    Nothing if it is `quiet`, or standard error is no terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _count: None
        return
    # Here: not every command is looked at for long.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), TimeElapsedColumn()]
    if total is not None:
        left = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
        columns += left
    shown = Progress(*columns, console=Console(stderr=True), transient=True)
    task = shown.add_task(what, total=total)
    later = threading.Timer(PATIENCE_S, shown.start)
    later.daemon = True
    later.start()
    try:
        yield lambda count: shown.advance(task, count)
    finally:
        later.cancel()
        later.join()
        shown.stop()
