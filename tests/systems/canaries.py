"""Passwords that stand nowhere else, and the places where they must not be found."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

LOOK_S = 0.2


@dataclass
class Canaries:
    """The passwords of one home, each in a file of a folder beside it.

    Attributes:
        seen: command lines of processes that had one.
        processes: command lines that were looked at.
    """

    folder: Path
    seen: set[str] = field(default_factory=set)
    processes: set[str] = field(default_factory=set)
    _texts: dict[str, str] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def keep(self, name: str, password: str, text: str | None = None) -> Path:
        """Write a password, or the text that it is a part of, to a file, and return the file."""
        self._texts[name] = password
        self.folder.mkdir(exist_ok=True)
        path = self.folder / name
        path.write_text(f"{text or password}\n")
        return path

    def named_in(self, content: bytes) -> set[str]:
        """Return the names of the passwords that stand in `content`, plain, quoted or in base64."""
        return {name for name, forms in self._forms().items() if any(f in content for f in forms)}

    def files(self, folder: Path) -> dict[str, set[str]]:
        """Return path -> names of the passwords in it, of every file below `folder` that has one."""
        paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path): names for path in paths if (names := self.named_in(path.read_bytes()))}

    def watch(self) -> threading.Thread:
        """Look at the command lines of all processes, over and over, until `rest`."""
        thread = threading.Thread(target=self._look)
        thread.start()
        return thread

    def rest(self, thread: threading.Thread) -> None:
        """Look no more."""
        self._stop.set()
        thread.join()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_S):
            lines = {
                " ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])
            }
            self.seen |= {one for one in lines - self.processes if self.named_in(one.encode())}
            self.processes |= lines

    def _forms(self) -> dict[str, set[bytes]]:
        return {name: _forms(text) for name, text in self._texts.items()}


def _forms(text: str) -> set[bytes]:
    plain = text.encode()
    # In base64 a text looks otherwise at each of three places; its edges depend on its neighbours.
    coded = {base64.b64encode(b"." * n + plain + b"." * 3)[4 : -4 - 4] for n in range(3)}
    return {plain, quote(text, safe="").encode(), *coded}
