"""Feature tables brought up from what they have: whatever came before, equal to each hour's newest build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from tests.support.drawn_features import Tastes, steps_of

KINDS = (
    *("new", "new", "new", "range", "late", "again", "again", "compact", "delete"),
    *("after_publish", "after_stage_current", "after_publish_current"),
)
Open = Callable[[int], Tastes]


@pytest.fixture
def opened(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Open:
    return lambda seed: Tastes(spark, quiet_cell, tmp_path, Random(seed))  # noqa: S311


@pytest.mark.parametrize("seed", [1])
def test_it_is_each_keys_newest_row_whatever_was_done_to_it(
    opened: Open, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    tastes = opened(seed)
    kinds = tastes.random.sample(KINDS, len(KINDS))
    # Each step that builds holds the table to its reference, and the path that was taken to what is due.
    for step in steps_of(tastes, monkeypatch, kinds):
        step()
    assert {path.partition(":")[0] for path in tastes.paths} == {"incremental", "full"}


def test_hours_in_their_order_read_no_earlier_one_beside_compactions_and_rebuilds(
    opened: Open,
) -> None:
    tastes = opened(3)
    for number in range(3):
        tastes.build(number)
    tastes.compact()
    tastes.build(4, 5)
    tastes.build(5)
    tastes.build(3)
    tastes.build(6)
    tastes.delete(0)
    tastes.build(7)
    tastes.build(8)
    full, incremental = "full", "incremental"
    assert [path.partition(":")[0] for path in tastes.paths] == [
        *(full, incremental, incremental, incremental),
        *(full, full, incremental),
        *(full, incremental),
    ]
