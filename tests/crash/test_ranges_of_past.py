"""Killed builds of ranges of a table that reads its own hour before: every hour is there once and whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.control.publications import read_publications
from tests.crash.range_kills import RangeKill
from tests.crash.range_model import BAD, NUMBERS
from tests.support.builds_apart import fails_in, start_build
from tests.support.counts import COUNTS
from tests.support.derivations import Chain, chained_product
from tests.support.lineage_whole import assert_lineage_whole
from tests.support.orders import hour
from tests.support.streaks import Rows, by_hand, published, some_orders

pytestmark = pytest.mark.timeout(3600)
BEFORE_BAD = [number for number in NUMBERS if hour(number) < BAD]
"""Hours after the one that fails are computed with what readers have of it, those before with what is new."""


def test_no_hour_is_twice_half_or_computed_with_what_nobody_sees(
    range_kills: tuple[RangeKill, ...], spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    chain = Chain(spark, quiet_cell, chained_product(tmp_path, "timeRange"))
    held: Rows = {}
    for number, kill in enumerate(range_kills):
        if kill.at.failpoint.endswith("_current"):
            continue
        chain.orders.append(some_orders(number, NUMBERS))
        plan = chain.plan(NUMBERS, derived_tables=["streaks"])
        died = start_build(chain.cell, chain.product, plan, [BAD], at=str(kill.at)).wait() != 0
        COUNTS["crash suite of ranges that depend on their past"][f"killed at {kill.at}"] += died
        before = by_hand(chain, BEFORE_BAD, held)
        assert published(chain) in (held, before, by_hand(chain, NUMBERS, held, [BAD]))
        failing = [BAD] if kill.persists else []
        chain.build(NUMBERS, partial(fails_in, failing), derived_tables=["streaks"])
        held = by_hand(chain, NUMBERS, held, failing)
        assert published(chain) == held
        chain.build(NUMBERS, derived_tables=["streaks"])
        held = by_hand(chain, NUMBERS, held)
        assert published(chain) == held
        assert chain.build(NUMBERS, derived_tables=["streaks"]) == []
        told = [(one.wap_id, one.hour) for one in read_publications(chain.cell, "orders")]
        assert len(told) == len(set(told))
        assert_lineage_whole(chain.cell, chain.product)
