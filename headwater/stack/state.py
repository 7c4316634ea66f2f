"""What the stack remembers between commands: ports and processes, in `<home>/stack.json`."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headwater.stack.ports import free_port
from headwater.stack.process import Process
from headwater.stack.starting import Starting
from pipeline.disk import FileDamagedError
from pipeline.files import write_atomically

LATE_ANSWER_S = 10.0
"""How long a part whose process runs may take to answer before it is started anew."""


@dataclass
class StackState:
    """Ports and processes by part name.

    `token` is in the environment of every process that the stack starts, so that those whose
    parent was killed can still be told from strangers.
    """

    token: str
    cells: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def save(self, home: Path) -> None:
        """Write it, atomically.

        Raises:
            DiskFullError: there is no room; the file is as it was.
        """
        write_atomically(home / "stack.json", json.dumps(asdict(self), indent=2) + "\n")

    def keep(self, home: Path, name: str, starting: Starting) -> Starting:
        """Remember a process before it answers: should this command be killed, the next one finds it."""
        self.processes[name] = starting.process
        self.save(home)
        return starting

    def choose_port(self, name: str, default: int | None) -> int:
        """Return the port of a part, which is remembered: the last one while it is free, or `default`."""
        others = [port for part, port in self.ports.items() if part != name]
        self.ports[name] = free_port(self.ports.get(name, default), avoid=others)
        return self.ports[name]

    def runs(self, name: str) -> bool:
        """Whether a part's process lives."""
        return name in self.processes and self.processes[name].alive

    def answers(self, name: str, is_ready: Callable[[], bool]) -> bool:
        """Tell whether a part runs and answers, if late: a busy machine is no reason to start it anew."""
        deadline = time.monotonic() + LATE_ANSWER_S
        while self.runs(name):
            if is_ready():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return False

    def stop(self, name: str) -> None:
        """End a part, if it runs."""
        if name in self.processes:
            self.processes.pop(name).stop()


def load_state(home: Path) -> StackState:
    """Read the state, a new one if the stack was never started.

    Raises:
        FileDamagedError: the file does not say what `StackState.save` writes.
    """
    path = home / "stack.json"
    try:
        document = json.loads(path.read_text())
        processes = {
            name: Process(**process) for name, process in document.pop("processes").items()
        }
        return StackState(**document, processes=processes)
    except FileNotFoundError:
        return StackState(token=secrets.token_hex(8))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise FileDamagedError(
            f"it does not say what `headwater up` writes ({type(error).__name__}: {error}).",
            subject=str(path),
            remedy="Restore it, or end what it started by hand, remove it, and run `headwater up` again: "
            "no data are in it.",
        ) from error
