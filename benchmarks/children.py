"""Processes of a benchmark that say `ready`, and then what they measure."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


@dataclass
class Child:
    """A process that has said `ready`, and what it said after."""

    process: BaseProcess
    pipe: Connection
    said: list[Any] = field(default_factory=list)

    def listen(self) -> bool:
        """Take in what it said; False once it has ended."""
        while self.pipe.poll():
            try:
                self.said.append(self.pipe.recv())
            except EOFError:
                return False
        return True

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join()


def start_child(target: Callable[..., None], *arguments: Any) -> Child:
    """Start `target(*arguments, pipe)` in a process of its own; returns once it has said something.

    Raises:
        RuntimeError: it ended before.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()
    except EOFError:
        raise RuntimeError(f"{target.__name__} ended before it was ready") from None
    return Child(process, ours)
