"""Rooms that a newcomer can guess: small folders, and a page that names every room in its order."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from docs.rooms import ENGINE, Room, rooms
from pipeline.settings import PROJECT

PAGE = PROJECT / "docs" / "explanation" / "architecture.md"
MOST_FILES = 15


@pytest.fixture(scope="module")
def found() -> tuple[Room, ...]:
    return rooms(PROJECT)


def test_no_folder_holds_more_files_than_a_glance_takes_in(found: tuple[Room, ...]) -> None:
    assert [room for room in found if room.fullest > MOST_FILES] == []


def test_the_page_of_the_architecture_names_the_rooms_in_their_order() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(one for one in settings["contracts"] if one.get("containers") == [ENGINE])[
        "layers"
    ]
    stated = [room for layer in layers for room in layer.split(" | ")]
    named = re.findall(rf"^\| `{ENGINE}/(\w+)(?:/|\.py)` \|", PAGE.read_text(), re.MULTILINE)
    assert named == stated


@pytest.mark.parametrize(
    ("place", "doors"),
    re.findall(rf"^\| `({ENGINE}/[\w.]+/?)` \|[^|]*\| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE),
)
def test_rooms_have_the_doors_that_the_page_names(place: str, doors: str) -> None:
    path = PROJECT / place
    files = [*path.rglob("*.py")] if path.is_dir() else [path]
    defined = {name for file in files for name in _defined(file)} | {file.stem for file in files}
    assert set(re.findall(r"`(\w+)`", doors)) <= defined


@pytest.mark.parametrize(
    ("name", "file"), re.findall(r"`([\w.]+)`\s+in\s+`([\w/]+\.py)`", PAGE.read_text())
)
def test_what_is_passed_through_is_where_the_page_says(name: str, file: str) -> None:
    assert name in _defined(PROJECT / file)


def _defined(file: Path) -> set[str]:
    """Return the functions and classes of a file, methods as `Class.method`."""
    names: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef)}
    return names
