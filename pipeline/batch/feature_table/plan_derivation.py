"""How a feature table is brought up to its history: planned from metadata alone, a pure function."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.batch.feature_table.builds import Builds, digest_of
from pipeline.batch.feature_table.derived_from import MOST_PARTITIONS, DerivedFrom, Partition
from pipeline.batch.model import Staged
from pipeline.contract.model import DerivedTable
from pipeline.tables.layout import HOUR_COLUMN

ColumnIds = tuple[Mapping[str, int], Mapping[str, int]]
"""Ids of a table's columns by their names: then, and now."""
UNIQUE = "expect_compound_columns_to_be_unique"


@dataclass(frozen=True)
class DerivationFacts:
    """What is known before a feature table is derived.

    Attributes:
        keys: columns that a row is known by.
        touched: the partitions that the staged hours have rows of; None where all are to be derived.
        is_empty: whether the table has never had a row.
        last: what it was last derived from, as far as that still holds; None where nothing tells.
        history_added_only: whether its history has since been given the staged rows and no others, and
            lost none.
        columns_kept: whether the columns of both are those of then, but for new ones, null in all rows of
            then.
        over_connect: whether Spark is asked over Connect.
    """

    keys: tuple[str, ...]
    staged_hours: tuple[datetime, ...]
    builds: Builds
    touched: Collection[Partition] | None
    is_empty: bool
    last: DerivedFrom | None
    history_added_only: bool
    columns_kept: bool
    over_connect: bool = False


@dataclass(frozen=True)
class Derivation:
    """How a feature table is to be derived.

    Attributes:
        incremental: whether what it has is kept but for the keys of the staged rows; otherwise the touched
            partitions are derived from all hours.
        partitions: those that hold each key's newest row once that is done; None: all that there are.
        reason: why it is so.
    """

    incremental: bool
    partitions: tuple[Partition, ...] | None
    reason: str


def plan_derivation(facts: DerivationFacts) -> Derivation:
    """Plan it: incrementally only where that gives the same rows as deriving from all hours. Pure.

    It does where what the table has is known to be each key's newest row by the builds that counted before,
    and every staged hour is later than all others that count: then a staged row is its key's newest.
    """
    if facts.touched is None:
        known = () if facts.builds.others_unrecorded else None
        return Derivation(False, known, "all partitions are derived anew")
    doubt = _doubt(facts)
    partitions = _known(facts, doubt)
    if doubt is not None:
        return Derivation(False, partitions, doubt)
    held = facts.last.partitions if facts.last else ()
    if held is not None and not set(facts.touched) <= set(held):
        return Derivation(False, partitions, "of a partition nothing tells that it is up to date")
    if _is_derived(facts):
        return Derivation(False, partitions, "it was derived with these hours before")
    others = [hour for hour in facts.builds.now if hour not in facts.staged_hours]
    if any(hour in facts.builds.before for hour in facts.staged_hours):
        return Derivation(False, partitions, "an hour is built again")
    if others and min(facts.staged_hours) < max(others):
        return Derivation(False, partitions, "a later hour is published")
    if facts.over_connect:
        # There Spark 4.1's optimizer fails on it, with an internal error.
        return Derivation(False, partitions, "Spark is asked over Connect")
    return Derivation(True, partitions, "its hours are later than all others")


def _doubt(facts: DerivationFacts) -> str | None:
    """Return why it is not known that the table had each key's newest row before; None where it is."""
    if facts.builds.others_unrecorded:
        return "another publication is not recorded"
    if facts.last is None:
        return "nothing tells what it was last derived from"
    if facts.last.keys != facts.keys:
        return "its rows are known by other columns than before"
    if not _is_derived(facts) and facts.last.builds != digest_of(facts.builds.before):
        return "other builds counted when it was last derived"
    if not facts.history_added_only:
        return "its history has changed otherwise"
    if not facts.columns_kept:
        return "columns have changed otherwise"
    return None


def _is_derived(facts: DerivationFacts) -> bool:
    return facts.last is not None and facts.last.builds == digest_of(facts.builds.now)


def _known(facts: DerivationFacts, doubt: str | None) -> tuple[Partition, ...] | None:
    """Return the partitions that hold each key's newest row once those touched do."""
    touched = set(facts.touched or ())
    if facts.builds.others_unrecorded:
        return ()
    if facts.is_empty and not facts.builds.before:
        return None
    held: Collection[Partition] | None = ()
    if doubt is None and facts.last is not None:
        held = facts.last.partitions
    if held is None:
        return None
    known = touched | set(held)
    if len(known) > MOST_PARTITIONS:
        known = touched if len(touched) <= MOST_PARTITIONS else set()
    return tuple(sorted(known, key=repr))


def columns_are_kept(history: ColumnIds | None, table: ColumnIds | None) -> bool:
    """Tell whether no column but new ones has come to a history and its feature table. Pure.

    A column that the table has gained and its history had then may have other values in it than null.
    Where it is not known which there were, it is not so.
    """
    if history is None or table is None:
        return False
    (history_then, history_now), (then, now) = history, table
    return (
        history_then.items() <= history_now.items()
        and then.items() <= now.items()
        and not (now.keys() - then.keys()) & history_then.keys()
    )


def is_once(derived_table: DerivedTable, staged: Staged, keys: Collection[str]) -> bool:
    """Tell whether the audit that a staging passed has found each of the `keys` once. Pure."""
    if len(staged.with_rows) != 1 or staged.contract_version != derived_table.version:
        return False
    for one in derived_table.expectations:
        columns, settings = one.kwargs.get("column_list"), set(one.kwargs)
        # With any other argument rows may be left out; with the hour among them none is for its nulls.
        if (
            one.type == UNIQUE
            and settings <= {"column_list", "mostly"}
            and one.kwargs.get("mostly", 1) == 1
            and isinstance(columns, list | tuple)
            and HOUR_COLUMN in columns
            and set(columns) <= {HOUR_COLUMN, *keys}
        ):
            return True
    return False
