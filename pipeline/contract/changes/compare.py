"""How two versions of a contract are compared: field by field, none left out.

A field that nobody has judged is told, and breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Change:
    """One difference.

    Attributes:
        path: what changed, e.g. `topic.partitions`.
        what: from what to what.
        breaking: whether a producer or reader that follows the old contract may fail, or read
            something else than before, or rows and keys would not line up with those already there.
    """

    path: str
    what: str
    breaking: bool


Diff = Callable[[str, Any, Any], Iterator[Change]]
"""Tells the changes of a part of a contract: its path, what it was and what it is, which differ."""


def value(
    breaks: Callable[[Any, Any], bool] | bool = True, show: Callable[[Any], str] = repr
) -> Diff:
    """Return what tells a value as a whole, as `show` shows it."""

    def diff(path: str, old: Any, new: Any) -> Iterator[Change]:
        before, after = show(old), show(new)
        what = "changed" if before == after else f"{before} -> {after}"
        yield Change(path, what, breaks if isinstance(breaks, bool) else breaks(old, new))

    return diff


HARMLESS = value(breaks=False)
"""A value that breaks nobody."""


def fields(**parts: Diff | None) -> Diff:
    """Return what tells a model field by field, each as its part says.

    A field without a part is a value that breaks; one whose part is None is not told here.
    """

    def diff(path: str, old: Any, new: Any) -> Iterator[Change]:
        for name in type(old).model_fields:
            part = parts.get(name, value())
            before, after = getattr(old, name), getattr(new, name)
            if part is not None and before != after:
                yield from part(f"{path}.{name}" if path else name, before, after)

    return diff


def named(by_name: Callable[[Any], Mapping[str, Any]], part: Diff, *, removed_breaks: bool) -> Diff:
    """Return what tells things that have names: those added, those removed, those that differ."""

    def diff(path: str, old: Any, new: Any) -> Iterator[Change]:
        before, after = by_name(old), by_name(new)
        for name in sorted(before.keys() | after.keys()):
            if name not in after:
                yield Change(f"{path}.{name}", "removed", removed_breaks)
            elif name not in before:
                yield Change(f"{path}.{name}", "added", breaking=False)
            elif before[name] != after[name]:
                yield from part(f"{path}.{name}", before[name], after[name])

    return diff


def names(given: Any) -> Mapping[str, Any]:
    """Return things by their own names."""
    return {one if isinstance(one, str) else one.name: one for one in given}
