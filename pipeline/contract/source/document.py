"""A YAML document that knows the line of everything in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

from pipeline.contract.source.mistakes import Mistake

Loc = tuple[str | int, ...]
"""Keys and indexes from the document's root."""


class DocumentError(Exception):
    """The file is not a YAML mapping; carries the one mistake."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


class Document:
    """A YAML mapping in plain Python values, with the line of each.

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
            tree = YAML(typ="rt").load(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DocumentError(Mistake(file, 1, "", "a contract; there is no such file")) from None
        except UnicodeDecodeError as error:
            raise DocumentError(Mistake(file, 1, "", f"UTF-8 text; {error.reason}")) from None
        except MarkedYAMLError as error:
            mark = error.problem_mark
            line = mark.line + 1 if mark else 1
            problem = str(error.problem).split("\n", maxsplit=1)[0]
            raise DocumentError(Mistake(file, line, "", f"YAML; {problem}")) from None
        except YAMLError as error:
            raise DocumentError(Mistake(file, 1, "", f"YAML; {error}")) from None
        except ValueError as error:
            # What looks like a date and is none.
            raise DocumentError(Mistake(file, 1, "", f"YAML; {error}")) from None
        if not isinstance(tree, CommentedMap):
            raise DocumentError(Mistake(file, 1, "", "a YAML mapping at the top"))
        self._tree = tree
        self.data: dict[str, Any] = _plain(tree)

    def line(self, loc: Loc) -> int:
        """Return the line where `loc` stands; of its nearest ancestor, if it is not there."""
        node: Any = self._tree
        line = 1
        for step in loc:
            if isinstance(node, CommentedMap) and step in node:
                line = node.lc.key(step)[0] + 1
                node = node[step]
            elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
                line = node.lc.item(step)[0] + 1
                node = node[step]
            else:
                break
        return line

    def mistake(self, loc: Loc, expected: str) -> Mistake:
        """Return a mistake at `loc`."""
        return Mistake(self.file, self.line(loc), render(loc), expected)


def render(loc: Iterable[str | int]) -> str:
    """Return `loc` as text: `schema[0].properties[2].name`."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, ScalarFloat):
        return float(node)
    if isinstance(node, ScalarInt):
        return int(node)
    if isinstance(node, datetime):
        # In the zone that is written, and of Python's own class.
        return datetime.fromisoformat(node.isoformat())
    return str(node) if isinstance(node, str) else node


def as_json(node: Any) -> Any:
    """Return `node` in what JSON has: YAML's dates and times become texts in ISO 8601."""
    if isinstance(node, dict):
        return {key: as_json(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_json(value) for value in node]
    return node.isoformat() if isinstance(node, date) else node
