"""Reading a contract part by part; mistakes are collected, so that one does not hide the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.config.nearest import did_you_mean, nearest
from pipeline.contract.source.document import Document, Loc
from pipeline.contract.source.mistakes import Mistake
from pipeline.contract.source.texts import NotTextError, read_utf8


class ContractReader:
    """The document of one contract, and what is wrong with it so far."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._own: list[Mistake] = []
        self._kinds: dict[Loc, str] = {}
        self._meant: set[Loc] = set()

    @property
    def mistakes(self) -> list[Mistake]:
        """All that was reported; of a value that is of no fitting kind, what says more of it."""
        kinds = (self.document.mistake(loc, expected) for loc, expected in self._kinds.items())
        return [*kinds, *self._own]

    @property
    def folder(self) -> Path:
        """The contract's folder, which its paths are relative to."""
        return self.document.file.parent

    def report(self, loc: Loc, expected: str) -> None:
        """Report a mistake at a place in the contract; of a key that is misspelt, that is told alone."""
        self._kinds.pop(loc, None)
        if not any(loc[: len(one)] == one for one in self._meant):
            self._own.append(self.document.mistake(loc, expected))

    def report_kind(self, loc: Loc, expected: str) -> None:
        """Report a value that is of no fitting kind, unless more than that is said of it later."""
        self._kinds[loc] = expected

    def report_key(self, loc: Loc, expected: str, known: Iterable[str]) -> None:
        """Report a key that there is none of at `loc`: if it is nearly one that is missing, as that one."""
        beside = self.at(loc[:-1])
        absent = [one for one in known if not isinstance(beside, dict) or one not in beside]
        near = nearest(loc[-1], absent)
        self.report(loc, f"{expected}{did_you_mean(loc[-1], absent)}")
        if near is not None:
            self._meant.add((*loc[:-1], near))

    def report_in(self, file: Path, line: int, path: str, expected: str, column: int = 0) -> None:
        """Report a mistake in a file that the contract names; `column` 0 means the whole line."""
        self._own.append(Mistake(file, line, path, expected, column))

    def at(self, loc: Loc) -> Any:
        """Return the value at `loc`, or None where there is none."""
        node: Any = self.document.data
        for step in loc:
            if isinstance(node, dict) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return None
        return node

    def text(self, loc: Loc) -> str:
        """Return the text at `loc`, stripped; empty where there is none."""
        value = self.at(loc)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def mappings(self, loc: Loc) -> Iterator[tuple[Loc, dict[str, Any]]]:
        """Yield the mappings of the list at `loc` with their places; anything else is passed over."""
        entries = self.at(loc)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield (*loc, index), entry

    def custom_property(self, loc: Loc, name: str) -> Loc | None:
        """Return the place of the value of custom property `name` of the object at `loc`."""
        for place, entry in self.mappings((*loc, "customProperties")):
            if entry.get("property") == name:
                return (*place, "value")
        return None

    def read_text(self, loc: Loc, relative: str, what: str) -> str | None:
        """Return the text of a file in the contract's folder; if it cannot be read, a mistake is reported."""
        file = self.folder / relative
        try:
            return read_utf8(file)
        except OSError as error:
            self.report(loc, f"{what}; {relative}: {error.strerror}")
        except NotTextError as error:
            self.report_in(file, error.line, "", f"{error}", error.column)
        except ValueError:
            # A NUL in the name.
            self.report(loc, f"{what}; no file is named {relative!r}")
        return None
