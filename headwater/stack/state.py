"""What the stack remembers between commands: ports and processes, in `<home>/stack.json`."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headwater.stack.process import Process
from pipeline.disk import FileDamagedError
from pipeline.files import write_atomically


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
