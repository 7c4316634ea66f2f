"""Rooms that a newcomer can guess: small folders, and a page that names every room in its order."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from docs.rooms import ENGINE, Room, rooms

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
MOST_FILES = 15


@pytest.fixture(scope="module")
def found() -> tuple[Room, ...]:
    return rooms(ROOT)


def test_no_folder_holds_more_files_than_a_glance_takes_in(found: tuple[Room, ...]) -> None:
    assert [room for room in found if room.fullest > MOST_FILES] == []


def test_the_page_of_the_architecture_names_the_rooms_in_their_order() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(one for one in settings["contracts"] if one.get("containers") == [ENGINE])[
        "layers"
    ]
    stated = [room for layer in layers for room in layer.split(" | ")]
    named = re.findall(rf"^\| `{ENGINE}/(\w+)(?:/|\.py)` \|", PAGE.read_text(), re.MULTILINE)
    assert named == stated
