"""A YAML document that knows the place of everything in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.contract.source.mistakes import Mistake
from pipeline.contract.source.texts import NotTextError, read_utf8
from pipeline.contract.source.yaml_nodes import NotYamlError, Place, read_yaml

Loc = tuple[str | int, ...]
"""Keys and indexes from the document's root."""


class DocumentError(Exception):
    """The file is not a YAML mapping; carries the one mistake."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


class Document:
    """A YAML mapping in plain Python values, with the place of each.

    Attributes:
        file: where it was read from.
        data: the content: dicts, lists and scalars only.
    """

    def __init__(self, file: Path) -> None:
        """Read `file`.

        Raises:
            DocumentError: it is absent, not YAML, has a key twice, or is not a mapping.
        """
        self.file = file
        try:
            self._root = read_yaml(read_utf8(file))
        except FileNotFoundError:
            raise DocumentError(Mistake(file, 1, "", "a contract; there is no such file")) from None
        except OSError as error:
            expected = f"a file that can be read: {error.strerror}"
            raise DocumentError(Mistake(file, 1, "", expected)) from None
        except NotTextError as error:
            mistake = Mistake(file, error.line, "", f"{error}", error.column)
            raise DocumentError(mistake) from None
        except NotYamlError as error:
            mistake = Mistake(file, error.line, "", f"YAML; {error}", error.column)
            raise DocumentError(mistake) from None
        if not isinstance(self._root.value, dict):
            found = "; the file has nothing in it" if self._root.value is None else ""
            line, column = self._root.place
            raise DocumentError(
                Mistake(file, line, "", f"a YAML mapping at the top{found}", column)
            )
        self.data: dict[str, Any] = self._root.value

    def place(self, loc: Loc) -> Place:
        """Return where `loc` stands; its nearest ancestor, if it is not there."""
        node, place = self._root, self._root.place
        for step in loc:
            if step not in node.inner:
                break
            place, node = node.places[step], node.inner[step]
        return place

    def mistake(self, loc: Loc, expected: str) -> Mistake:
        """Return a mistake at `loc`."""
        line, column = self.place(loc)
        return Mistake(self.file, line, render(loc), expected, column)


def render(loc: Iterable[str | int]) -> str:
    """Return `loc` as text: `schema[0].properties[2].name`."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def as_json(node: Any) -> Any:
    """Return `node` in what JSON has: YAML's dates and times become texts in ISO 8601."""
    if isinstance(node, dict):
        return {key: as_json(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_json(value) for value in node]
    return node.isoformat() if isinstance(node, date) else node
