"""A JSON file that knows the place of everything in it."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.contract.source.yaml_nodes import Place

_TOKEN = re.compile(r'\s*([{}\[\]:,]|"(?:[^"\\]|\\.)*"|[^\s{}\[\]:,"]+)', re.DOTALL)


EXACT = ("default", "aliases", "symbols", "size")
"""Parts of a type or field that are told by their own place."""


class NotJsonError(ValueError):
    """The text is not JSON; `place` is where."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(problem)
        self.place = Place(line, column)


@dataclass
class _Node:
    place: Place
    value: Any


class SchemaText:
    """Parsed JSON in `data`, with the place of each part.

    Raises:
        NotJsonError: it is none, or nested too deep.
    """

    def __init__(self, text: str) -> None:
        try:
            self.data: Any = json.loads(text, parse_constant=_refuse)
            self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
            self._tokens = [(found.group(1), found.start(1)) for found in _TOKEN.finditer(text)]
            self._next = 0
            self._root = self._node()
        except json.JSONDecodeError as error:
            raise _explained(text, error) from None
        except RecursionError:
            raise NotJsonError("nested too deep", 1, 1) from None
        except NotJsonError:
            raise
        except ValueError as error:
            raise NotJsonError(f"{error}", 1, 1) from None

    def place(self, path: Sequence[str | int]) -> Place:
        """Return the place of what is at `path`: where the innermost thing that has a name says its name.

        Of the nearest ancestor, if nothing is at `path`; of what has a place of its own (`EXACT`), that one.
        """
        node, steps, named = self._found(path)
        if path and path[-1] in EXACT and len(steps) == len(path):
            return node.place
        return (named or node).place

    def field(self, names: Sequence[str]) -> tuple[str | int, ...]:
        """Return the path of a field by the names of the fields that it is in and its own.

        Of the innermost of them that is there: a type that is used by its name stands elsewhere.
        """
        return _field(self.data, names, ()) or ()

    def named(self, path: Sequence[str | int]) -> str:
        """Return `path` as text, a field by its name."""
        _, steps, _ = self._found(path)
        rest = [str(step) for step in path[len(steps) :]]
        return "/" + "/".join([*steps, *rest]) if path else ""

    def _found(self, path: Sequence[str | int]) -> tuple[_Node, list[str], _Node | None]:
        """Follow `path`, in which an item of a list is a number or the `name` that it has."""
        node, steps = self._root, []
        named: _Node | None = None
        for step in path:
            below, step_name = _below(node, step)
            if below is None:
                break
            node = below
            steps.append(step_name)
            named = node.value["name"] if _name(node) is not None else named
        return node, steps, named

    def _at(self, token: int) -> Place:
        place = self._tokens[token][1]
        line = bisect_right(self._starts, place)
        return Place(line, place - self._starts[line - 1] + 1)

    def _node(self) -> _Node:
        token, at = self._tokens[self._next][0], self._at(self._next)
        self._next += 1
        if token == "{":  # noqa: S105 - a bracket
            members: dict[str, _Node] = {}
            while self._tokens[self._next][0] != "}":
                key = json.loads(self._tokens[self._next][0])
                if key in members:
                    raise NotJsonError(f"no duplicate key {key!r}", *self._at(self._next))
                self._next += 2
                members[key] = self._node()
                self._comma()
            self._next += 1
            return _Node(at, members)
        if token == "[":  # noqa: S105 - a bracket
            items: list[_Node] = []
            while self._tokens[self._next][0] != "]":
                items.append(self._node())
                self._comma()
            self._next += 1
            return _Node(at, items)
        return _Node(at, json.loads(token))

    def _comma(self) -> None:
        if self._tokens[self._next][0] == ",":
            self._next += 1


def _below(node: _Node, step: str | int) -> tuple[_Node | None, str]:
    if isinstance(node.value, dict) and isinstance(step, str):
        return node.value.get(step), step
    if isinstance(node.value, list):
        if isinstance(step, int) or step.isdigit():
            number = int(step)
            found = node.value[number] if number < len(node.value) else None
            name = _name(found) if found else None
            return found, name or str(step)
        return next((one for one in node.value if _name(one) == step), None), str(step)
    return None, str(step)


def _field(
    part: Any, names: Sequence[str], path: tuple[str | int, ...]
) -> tuple[str | int, ...] | None:
    if isinstance(part, list):
        found = (_field(one, names, (*path, number)) for number, one in enumerate(part))
        return next(filter(None, found), None)
    if not names or not isinstance(part, dict):
        return None
    for number, one in enumerate(part.get("fields", ())):
        if isinstance(one, dict) and one.get("name") == names[0]:
            place = (*path, "fields", number)
            return _field(one.get("type"), names[1:], (*place, "type")) or place
    inside = (_field(part.get(key), names, (*path, key)) for key in ("type", "items", "values"))
    return next(filter(None, inside), None)


def _name(node: _Node) -> str | None:
    if not isinstance(node.value, dict) or "name" not in node.value:
        return None
    name = node.value["name"].value
    return name if isinstance(name, str) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _explained(text: str, error: json.JSONDecodeError) -> NotJsonError:
    """Return what is wrong where it was done: at a comma too many, after what a comma is missing behind."""
    before = text[: error.pos].rstrip()
    if not text.strip():
        return NotJsonError("the file has nothing in it", 1, 1)
    problem, at = error.msg, error.pos
    if text[error.pos : error.pos + 2] in ("//", "/*"):
        problem = "no comments: JSON has none, a `doc` beside a name is one"
    elif before.endswith(",") and text[error.pos : error.pos + 1] in ("]", "}"):
        problem, at = "no comma after the last", len(before) - 1
    elif error.msg.startswith("Expecting ',' delimiter"):
        problem, at = "a comma, or the end of what is open, after this", len(before) - 1
    elif error.msg.startswith("Extra data"):
        problem = "nothing after the end of the schema"
    begin = text.rfind("\n", 0, at)
    return NotJsonError(problem, text.count("\n", 0, at) + 1, at - begin)
