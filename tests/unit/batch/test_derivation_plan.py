"""When a feature table is brought up from what it has, and when derived from all hours: a pure plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from pipeline.batch.feature_table.builds import Builds, digest_of
from pipeline.batch.feature_table.derived_from import MOST_PARTITIONS, DerivedFrom
from pipeline.batch.feature_table.plan_derivation import (
    DerivationFacts,
    columns_are_kept,
    is_once,
    plan_derivation,
)
from pipeline.batch.model import Staged, StagedHour
from pipeline.contract.model import Expectation
from tests.support.orders import derived, hour

BEFORE = {hour(1): "one", hour(2): "two"}
NOW = {**BEFORE, hour(3): "three"}
KEYS = ("user", "day")
MONDAY, TUESDAY = ("2026-01-05",), ("2026-01-06",)
LAST = DerivedFrom(
    history_snapshot_id=1,
    history_schema_id=0,
    base_snapshot_id=None,
    builds=digest_of(BEFORE),
    keys=KEYS,
    partitions=None,
    path="full: nothing tells",
)
FACTS = DerivationFacts(
    keys=KEYS,
    staged_hours=(hour(3),),
    builds=Builds(NOW, NOW, BEFORE, others_unrecorded=False),
    touched=(MONDAY,),
    is_empty=False,
    last=LAST,
    history_added_only=True,
    columns_kept=True,
)


def last(**fields: object) -> DerivationFacts:
    return replace(FACTS, last=LAST.model_copy(update=fields))


def builds(
    now: dict[datetime, str], before: dict[datetime, str], *, others: bool = False
) -> DerivationFacts:
    return replace(FACTS, builds=Builds(now, now, before, others))


def test_later_hours_are_added_to_what_is_known_to_be_up_to_date() -> None:
    found = plan_derivation(FACTS)
    assert (found.incremental, found.partitions) == (True, None)
    found = plan_derivation(last(partitions=(MONDAY, TUESDAY)))
    assert (found.incremental, found.partitions) == (True, (MONDAY, TUESDAY))


@pytest.mark.parametrize(
    ("facts", "partitions"),
    [
        # What is doubted leaves the partitions that are derived now, and no other, known.
        (replace(FACTS, last=None), (MONDAY,)),
        (last(keys=("day",)), (MONDAY,)),
        (last(builds=digest_of({hour(1): "other"})), (MONDAY,)),
        (replace(FACTS, history_added_only=False), (MONDAY,)),
        (replace(FACTS, columns_kept=False), (MONDAY,)),
        # Rows of another build are in those partitions alone that the staged hours are in.
        (builds(NOW, BEFORE, others=True), ()),
        (replace(builds(NOW, BEFORE, others=True), touched=None), ()),
        (replace(FACTS, touched=None), None),
        # Known, but not to be told by adding.
        (last(builds=digest_of(NOW)), None),
        (last(partitions=(TUESDAY,)), (MONDAY, TUESDAY)),
        (
            replace(
                builds({**NOW, hour(4): "four"}, {**BEFORE, hour(4): "four"}),
                last=LAST.model_copy(
                    update={"builds": digest_of({**BEFORE, hour(4): "four"})},
                ),
            ),
            None,
        ),
        (
            replace(
                builds(NOW, {**BEFORE, hour(3): "earlier"}),
                last=LAST.model_copy(
                    update={"builds": digest_of({**BEFORE, hour(3): "earlier"})},
                ),
            ),
            None,
        ),
        (replace(builds({hour(3): "three"}, {}), last=None, is_empty=True), None),
    ],
)
def test_otherwise_all_hours_are_read(
    facts: DerivationFacts, partitions: tuple[tuple[str], ...] | None
) -> None:
    found = plan_derivation(facts)
    assert (found.incremental, found.partitions) == (False, partitions)
    assert found.reason


def test_of_too_many_partitions_those_of_now_are_named_or_none() -> None:
    many = tuple((str(number),) for number in range(MOST_PARTITIONS))
    assert plan_derivation(last(partitions=many)).partitions == (MONDAY,)
    found = plan_derivation(replace(last(partitions=(TUESDAY,)), touched=(*many, MONDAY)))
    assert (found.incremental, found.partitions) == (False, ())


@pytest.mark.parametrize(
    ("history", "table", "kept"),
    [
        (({"a": 1}, {"a": 1, "new": 2}), ({"a": 1}, {"a": 1, "new": 5}), True),
        # Dropped from the table by somebody, and there again: the history has values of before.
        (({"a": 1, "b": 2}, {"a": 1, "b": 2}), ({"a": 1}, {"a": 1, "b": 3}), False),
        (({"a": 1}, {"a": 1}), ({"a": 1}, {"a": 2}), False),
        (({"a": 1}, {"a": 2}), ({"a": 1}, {"a": 1}), False),
        (None, ({"a": 1}, {"a": 1}), False),
    ],
)
def test_columns_are_kept_where_new_ones_alone_have_come(
    history: tuple[dict[str, int], dict[str, int]] | None,
    table: tuple[dict[str, int], dict[str, int]],
    kept: bool,
) -> None:
    assert columns_are_kept(history, table) is kept


@pytest.mark.parametrize(
    ("kwargs", "hours", "version", "once"),
    [
        ({"column_list": ["hour", "user"]}, 1, "1.2.0", True),
        ({"column_list": ["hour", "user", "day"], "mostly": 1}, 1, "1.2.0", True),
        ({"column_list": ["hour", "user"]}, 2, "1.2.0", False),
        # It passed the audit of another contract.
        ({"column_list": ["hour", "user"]}, 1, "1.1.0", False),
        ({"column_list": ["hour", "user", "session"]}, 1, "1.2.0", False),
        # Rows that are null in all of the columns are not looked at.
        ({"column_list": ["user", "day"]}, 1, "1.2.0", False),
        ({"column_list": ["hour", "user"], "mostly": 0.9}, 1, "1.2.0", False),
        ({"column_list": ["hour", "user"], "row_condition": "x"}, 1, "1.2.0", False),
    ],
)
def test_an_audit_finds_keys_once_where_it_looked_at_every_row(
    kwargs: dict[str, object], hours: int, version: str, once: bool
) -> None:
    rule = Expectation(type="expect_compound_columns_to_be_unique", kwargs=kwargs)
    staged = Staged(
        table="orders.tastes_history",
        wap_id="w",
        source_snapshot_id=1,
        snapshot_id=2,
        base_snapshot_id=None,
        contract_version=version,
        run_id="run",
        expectations=1,
        hours=tuple(StagedHour(hour(number), 1, 1, "") for number in range(hours)),
    )
    assert is_once(derived("tastes", "", (rule,)), staged, KEYS) is once


def test_over_connect_all_hours_are_read() -> None:
    planned = plan_derivation(replace(FACTS, over_connect=True))
    assert (planned.incremental, planned.reason) == (False, "Spark is asked over Connect")
    assert planned.partitions == plan_derivation(FACTS).partitions
