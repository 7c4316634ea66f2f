"""How a table comes to hold what a contract says: compared column by column, by Iceberg's own rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from pipeline.avro import arrow
from pipeline.evolution.former_names import Path
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.tables.create import Partition
from pipeline.tables.data_files.past_names import ROOT, PastNames


@dataclass(frozen=True)
class Change:
    """A step, and what carries it out.

    Attributes:
        path: the column as the table names it today; of an added one, its place there.
        type: of a column that is added or widened.
        name: the new name of a column that is renamed.
    """

    step: Step
    path: Path
    type: IcebergType | None = None
    name: str = ""


@dataclass(frozen=True)
class TablePlan:
    """All that is to be done about one table, in the order of its columns."""

    changes: tuple[Change, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The changes as they are told."""
        return tuple(change.step for change in self.changes)

    @property
    def due(self) -> tuple[Change, ...]:
        """The changes that are safe and change something."""
        return tuple(
            change
            for change in self.changes
            if change.step.verdict is Verdict.SAFE and change.step.action is not Action.KEEP_COLUMN
        )

    @property
    def refused(self) -> tuple[Step, ...]:
        """The steps that nobody may take."""
        return tuple(step for step in self.steps if step.verdict is Verdict.REFUSED)


def plan_columns(
    table: str,
    wanted: StructType,
    former: Mapping[Path, tuple[str, ...]],
    held: StructType,
    past: PastNames,
) -> TablePlan:
    """Return what brings the columns `held` by `table` to those `wanted`. Pure.

    `former` are names that wanted columns had in earlier versions of the contract; of what is wanted, ids
    mean nothing.
    A column that the table has wider than wanted, or under a newer name, stays as it is: the contract is
    older than the table, and its values are written as the table has them. No column is ever dropped.
    """
    planner = _Planner(table, former, past)
    return TablePlan(tuple(planner.record(ROOT, (), (), held, wanted)))


def plan_partition(
    table: str, held: PartitionSpec, schema: Schema, wanted: Partition
) -> tuple[Change, ...]:
    """Return the step that tells of partitions other than those of the format; none where they agree."""
    column, transform, _ = wanted
    found = [(schema.find_column_name(f.source_id), f.transform) for f in held.fields]
    if found == [(column, transform)]:
        return ()
    shown = ", ".join(f"{one}({name})" for name, one in found) or "none"
    step = Step(
        table,
        Action.CHANGE_PARTITIONS,
        "",
        f"{shown} -> {transform}({column})",
        Verdict.REFUSED,
        "the format fixes them, and somebody changed them by hand: change them back",
    )
    return (Change(step, ()),)


class _Planner:
    def __init__(self, table: str, former: Mapping[Path, tuple[str, ...]], past: PastNames) -> None:
        self._table = table
        self._former_names = former
        self._past = past

    def record(
        self, parent: int, place: Path, path: Path, held: StructType, asked: StructType
    ) -> Iterator[Change]:
        """Compare a record: `place` in the contract, `path` in the table."""
        own = {field.name for field in asked.fields}
        found: set[int] = set()
        for field in asked.fields:
            there = (*place, field.name)
            match = self._past.find(parent, held, field.name)
            if match is not None and (match.field_id in found or match.name in own - {field.name}):
                # The name once stood for what the contract has under another name as well.
                match = None
            if match is None:
                match = self._former(there, held, own, found)
                if match is not None:
                    yield self._rename((*path, match.name), field.name)
            if match is None:
                yield self._add((*path, field.name), field, held)
                continue
            found.add(match.field_id)
            yield from self._types(match, field, there, (*path, match.name))
        for field in held.fields:
            if field.field_id not in found:
                yield self._change(
                    Action.KEEP_COLUMN, (*path, field.name), "not in the contract: null in new rows"
                )

    def _former(
        self, there: Path, held: StructType, own: set[str], found: set[int]
    ) -> NestedField | None:
        by_name = {field.name: field for field in held.fields}
        for name in self._former_names.get(there, ()):
            match = by_name.get(name)
            if match is not None and name not in own and match.field_id not in found:
                return match
        return None

    def _types(
        self, held: NestedField, asked: NestedField, place: Path, path: Path
    ) -> Iterator[Change]:
        if held.required and not asked.required:
            yield self._change(Action.WIDEN_COLUMN, path, "required -> optional")
        yield from self._type(held.field_id, held.field_type, asked.field_type, place, path)

    def _type(
        self, own: int, held: IcebergType, asked: IcebergType, place: Path, path: Path
    ) -> Iterator[Change]:
        if isinstance(held, StructType) and isinstance(asked, StructType):
            yield from self.record(own, place, path, held, asked)
        elif isinstance(held, ListType) and isinstance(asked, ListType):
            inside = (*place, "element"), (*path, "element")
            yield from self._type(held.element_id, held.element_type, asked.element_type, *inside)
        elif isinstance(held, MapType) and isinstance(asked, MapType):
            if held.key_type != asked.key_type:
                yield self._refuse(path, held, asked, "the keys of a map keep their type")
            inside = (*place, "value"), (*path, "value")
            yield from self._type(held.value_id, held.value_type, asked.value_type, *inside)
        elif held == asked or _promotes(asked, held):
            return
        elif _promotes(held, asked):
            yield self._change(Action.WIDEN_COLUMN, path, f"{held} -> {asked}", asked)
        else:
            yield self._refuse(
                path,
                held,
                asked,
                "no column of Iceberg may change so: give it a new name or its old type"
                " (of reference data: in `types`)",
            )

    def _add(self, path: Path, field: NestedField, held: StructType) -> Change:
        twin = next((f.name for f in held.fields if f.name.lower() == field.name.lower()), None)
        if twin is not None:
            said = (
                f"the table has {twin!r}: Spark cannot tell names apart that differ in case alone"
            )
            step = self._step(Action.ADD_COLUMN, path, str(field.field_type))
            return Change(
                Step(step.table, step.action, step.column, step.detail, Verdict.REFUSED, said), path
            )
        return self._change(Action.ADD_COLUMN, path, str(field.field_type), field.field_type)

    def _rename(self, path: Path, name: str) -> Change:
        step = self._step(Action.RENAME_COLUMN, path, f"{path[-1]} -> {name}")
        return Change(step, path, name=name)

    def _refuse(self, path: Path, held: IcebergType, asked: IcebergType, why: str) -> Change:
        step = self._step(Action.CHANGE_TYPE, path, f"{held} -> {asked}")
        return Change(
            Step(step.table, step.action, step.column, step.detail, Verdict.REFUSED, why), path
        )

    def _change(
        self, action: Action, path: Path, detail: str, type_: IcebergType | None = None
    ) -> Change:
        return Change(self._step(action, path, detail), path, type_)

    def _step(self, action: Action, path: Path, detail: str) -> Step:
        return Step(self._table, action, ".".join(path), detail, Verdict.SAFE)


def _promotes(old: IcebergType, new: IcebergType) -> bool:
    # The library takes a moment to import, and most tables have the types that are asked for.
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    return arrow.promotes(schema_to_pyarrow(old), schema_to_pyarrow(new))
