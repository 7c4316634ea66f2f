"""The failpoints that the code has, found in its text so that no list falls behind; and sleeping at one."""

from __future__ import annotations

import ast
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.failpoints import arm

ENGINE = Path(__file__).parents[2] / "pipeline"


class FailpointUnnamedError(Exception):
    """A failpoint whose name is not written where it stands cannot be found by reading."""


def failpoints_of(room: str, folder: Path = ENGINE) -> tuple[str, ...]:
    """Return the names of all failpoints `<room>.<place>` in the Python files of `folder`, sorted.

    Raises:
        FailpointUnnamedError: a call whose first argument is no literal text.
    """
    return tuple(name for name in all_failpoints(folder) if name.split(".")[0] == room)


def all_failpoints(folder: Path = ENGINE) -> tuple[str, ...]:
    """Return the names of all failpoints in the Python files of `folder`, sorted.

    Raises:
        FailpointUnnamedError: a call whose first argument is no literal text.
    """
    return tuple(sorted({name for path in folder.rglob("*.py") for name in _names(path)}))


def sleep_at(place: str) -> None:
    """Have this process, the caller's own, be stopped (SIGSTOP) at `name:visit`; woken, it goes on."""
    arm(place)
    patch = pytest.MonkeyPatch()
    patch.setattr("pipeline.failpoints.signal", SimpleNamespace(SIGKILL=signal.SIGSTOP))


def _names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or _called(node) != "failpoint":
            continue
        match node.args:
            case [ast.Constant(value=str(name)), *_]:
                yield name
            case _:
                raise FailpointUnnamedError(f"{path}:{node.lineno}")


def _called(call: ast.Call) -> str | None:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None
