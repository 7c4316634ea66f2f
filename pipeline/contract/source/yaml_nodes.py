"""YAML 1.2 as plain values, with the place of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import yaml
from yaml import events

from pipeline.contract.source.yaml_errors import explained
from pipeline.contract.source.yaml_scalars import BadScalarError, plain_scalar, tagged_scalar

MAX_DEPTH = 100
"""Lists and mappings within each other."""

# libyaml is what makes it quick; builds of PyYAML without it read the same.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAKS = {0x85: 0x10F085, 0x2028: 0x10F028, 0x2029: 0x10F029}
"""Ends of lines in YAML 1.1 that are characters like others in 1.2 -> what stands in for them."""
_CHARACTERS = {other: character for character, other in _BREAKS.items()}


class NotYamlError(ValueError):
    """The text is not YAML; `line` and `column` are where, from 1; the column 0 where it is not known."""

    def __init__(self, problem: str, line: int, column: int = 0) -> None:
        super().__init__(problem)
        self.line, self.column = line, column


class Place(NamedTuple):
    """Where something begins; both are counted from 1."""

    line: int
    column: int


@dataclass
class Node:
    """A value and where it begins: a dict whose keys are texts, a list, or a scalar.

    Attributes:
        places: of a dict or list: the place of each key, or item.
        inner: the node of each value.
    """

    place: Place
    value: Any
    places: dict[str | int, Place] = field(default_factory=dict)
    inner: dict[str | int, Node] = field(default_factory=dict)

    def add(self, key: str | int, place: Place, node: Node) -> None:
        """Add a value under a key that is new, or the next item."""
        self.places[key], self.inner[key] = place, node
        if isinstance(self.value, list):
            self.value.append(node.value)
        else:
            self.value[key] = node.value


def read_yaml(text: str) -> Node:
    """Return the one document in `text`; null if there is none.

    Scalars are None, bool, int, float, str, date or datetime; keys are texts, as Python writes what they are.

    Raises:
        NotYamlError: it is not YAML, has a key twice, or what has no plain value: tags of its own, a key that
            is no scalar, an alias to what it is in.
    """
    parser = _Parser(text.translate(_BREAKS))
    composer = _Composer(parser)
    try:
        return composer.document()
    except yaml.MarkedYAMLError as error:
        raise NotYamlError(*explained(text, error, composer.last)) from None
    except yaml.YAMLError as error:
        raise NotYamlError(f"{error}".split("\n", maxsplit=1)[0], 1) from None
    finally:
        parser.dispose()


class _Composer:
    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self._anchors: dict[str, Node | None] = {}
        self.last: Any = None

    def document(self) -> Node:
        self._next()
        start = self._next()
        if isinstance(start, events.StreamEndEvent):
            return Node(Place(1, 1), None)
        if start.version == (1, 1):
            raise NotYamlError("YAML 1.2, not 1.1, in which words like `no` are no texts", 1)
        root = self._node(self._next(), 0)
        self._next()
        if not isinstance(end := self._next(), events.StreamEndEvent):
            raise NotYamlError("one document; here begins another", end.start_mark.line + 1)
        return root

    def _next(self) -> Any:
        self.last = self._parser.get_event()
        return self.last

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event)
        if isinstance(event, events.AliasEvent):
            return self._anchored(str(event.anchor), place)
        if depth > MAX_DEPTH:
            expected = f"no more than {MAX_DEPTH} lists and mappings within each other"
            raise NotYamlError(expected, *place)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, events.ScalarEvent):
            node = Node(place, self._scalar(event, place))
        else:
            kind = "map" if isinstance(event, events.MappingStartEvent) else "seq"
            if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
                raise NotYamlError(f"no tag {event.tag}", *place)
            node = self._mapping(place, depth) if kind == "map" else self._list(place, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _anchored(self, anchor: str, place: Place) -> Node:
        if anchor not in self._anchors:
            raise NotYamlError(f"found undefined alias {anchor!r}", *place)
        node = self._anchors[anchor]
        if node is None:
            raise NotYamlError(f"no alias {anchor!r} within what it stands for", *place)
        return node

    def _scalar(self, event: Any, place: Place) -> Any:
        text: str = event.value.translate(_CHARACTERS)
        try:
            if event.tag not in (None, "!"):
                return tagged_scalar(event.tag, text)
            return plain_scalar(text) if event.implicit[0] else text
        except BadScalarError as error:
            raise NotYamlError(f"{error}", *place) from None

    def _list(self, place: Place, depth: int) -> Node:
        node = Node(place, [])
        while not isinstance(event := self._next(), events.SequenceEndEvent):
            item = self._node(event, depth + 1)
            node.add(len(node.inner), item.place, item)
        return node

    def _mapping(self, place: Place, depth: int) -> Node:
        node, merged = Node(place, {}), []
        while not isinstance(event := self._next(), events.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if isinstance(event, events.ScalarEvent) and _is_merge(event):
                merged += _merged(value)
                continue
            name, at = _key(key), _place(event)
            if name in node.inner:
                before = node.places[name].line
                raise NotYamlError(f"no duplicate key: {name!r} is at line {before}, too", *at)
            node.add(name, at, value)
        for one in merged:
            for key_text in (each for each in one.inner if each not in node.inner):
                node.add(key_text, one.places[key_text], one.inner[key_text])
        return node


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _is_merge(event: Any) -> bool:
    return bool(event.value == "<<" and event.implicit[0] and event.tag is None)


def _merged(node: Node) -> list[Node]:
    found = list(node.inner.values()) if isinstance(node.value, list) else [node]
    for one in found:
        if not isinstance(one.value, dict):
            raise NotYamlError("a mapping, or a list of mappings, after `<<`", *one.place)
    return found


def _key(node: Node) -> str:
    if isinstance(node.value, dict | list):
        raise NotYamlError("a key that is a text", *node.place)
    return node.value.isoformat() if isinstance(node.value, date) else str(node.value)
