"""Unit tests of derived tables as they are written: what can be told of them without running them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contract.load import load_product
from pipeline.contract.unit_tests.read import read_unit_tests
from tests.unit.contract.conftest import Copy

TABLE = "content_engagement_hourly"
WELL = """tests:
  - name: one
    hour: 2026-01-01T05
    given:
      events:
        - {content_id: a}
    expect:
      - {content_id: a, views: 1}
"""


@pytest.fixture
def tests(copy: Copy) -> Path:
    """The folder of a table's unit tests, with none in it."""
    folder = copy("viewing_events").parent / TABLE / "tests"
    for file in folder.iterdir():
        file.unlink()
    return folder


def read(tests: Path, text: str) -> tuple[int, list[str]]:
    (tests / "one.yaml").write_text(text)
    found = read_unit_tests(load_product(tests.parent.parent / "viewing_events"))
    of_table = [one for one in found.tests if one.table == TABLE]
    return len(of_table), [str(one).partition("one.yaml:")[2] for one in found.mistakes]


def test_one_that_is_well_is_read(tests: Path) -> None:
    assert read(tests, WELL) == (1, [])


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("events:", "evnts:", "5:7: tests[0].given.evnts", "not 'evnts'; did you mean events?"),
        (
            "{content_id: a}",
            "{contentid: a}",
            "6:12: tests[0].given.events[0].contentid",
            "did you mean content_id?",
        ),
        (
            "views: 1",
            "viewed: 1",
            "8:25: tests[0].expect[0].viewed",
            "a column of content_engagement_hourly",
        ),
        ("hour: 2026-01-01T05", "hour: 2026-01-01T05:30:00", "3:5: tests[0].hour", "of an hour"),
        ("hour: 2026-01-01T05", "hour: noon", "3:5: tests[0].hour", "an ISO 8601 time"),
        ("expect:", "expected:", "7:5: tests[0].expected", "no such key"),
        ("name: one", "name: one\n    table: other", "3:5: tests[0].table", "not 'other'"),
        ("tests:", "tets:", "1:1: tets", "no such key"),
    ],
)
def test_what_is_none_has_its_place(tests: Path, old: str, new: str, place: str, told: str) -> None:
    count, mistakes = read(tests, WELL.replace(old, new))
    assert count == 0
    assert any(one.startswith(place) and told in one for one in mistakes), mistakes


def test_a_name_is_of_one_test(tests: Path) -> None:
    _, (mistake,) = read(tests, WELL + WELL.removeprefix("tests:\n"))
    assert mistake.startswith("9:5: tests[1].name: a name of its own")
