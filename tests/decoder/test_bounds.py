"""Compiled code stays within its arrays: the same properties, in a process that checks every index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.decoder.evolution import Evolved
from tests.decoder.subject import Subject, references

FOLDER = Path(__file__).parent
MUTATED = 200


@pytest.mark.timeout(900)
def test_mutated_batches_and_values_touch_nothing_outside_their_arrays(tmp_path: Path) -> None:
    # A fault that the operating system sees would end that process by a signal, not by an error.
    checked = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    files = ["test_broken_batches.py", "test_values.py", "test_bounds.py"]
    command = [sys.executable, "-m", "pytest", *(str(FOLDER / name) for name in files)]
    command += ["--decoder-examples", str(MUTATED), "-p", "no:cacheprovider", "-k", "not mutated_"]
    done = subprocess.run(
        command, env=checked, cwd=FOLDER.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.parametrize("outer", [1, 2, 3])
@pytest.mark.parametrize("inner", [12, 13, 14, 15])
def test_lists_too_deep_for_the_kernel_are_left_to_the_reader_of_single_records(
    outer: int, inner: int
) -> None:
    """The deepest are skipped: `outer` lists of the reader's hold a dropped field of `inner`."""
    kept = {"name": "x", "type": "int"}
    dropped = {"name": "z", "type": lists("int", inner)}
    history = Evolved(record([kept], outer), (record([kept, dropped], outer),))
    value: Any = {"x": 1, "z": held(7, inner)}
    body = references(history)[0].encode({"a": held(value, outer)})
    mine = Subject(history).read([(0, body)])[0]
    assert mine == (None if outer + inner > 16 else {"a": held({"x": 1}, outer)})


def record(fields: list[dict[str, Any]], outer: int) -> dict[str, Any]:
    inside = {"type": "record", "name": "Inside", "fields": fields}
    return {
        "type": "record",
        "name": "Payload",
        "fields": [{"name": "a", "type": lists(inside, outer)}],
    }


def lists(of: Any, depth: int) -> Any:
    for _ in range(depth):
        of = {"type": "array", "items": of}
    return of


def held(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value
