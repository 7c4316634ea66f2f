"""What changed between two versions of a derived table's contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.contract.changes.compare import HARMLESS, Change, Diff, fields, named, names, value
from pipeline.contract.changes.schemas import DESCRIBED
from pipeline.contract.model import Drift, Expectation, Feature, Logic, Read


def _logic(path: str, old: Logic, new: Logic) -> Iterator[Change]:
    if old.language != new.language:
        yield Change(path, f"{old.language} -> {new.language}", breaking=False)
    elif old.text != new.text:
        yield Change(path, "another text", breaking=False)
    if old.incremental_by != new.incremental_by:
        by = f"{old.incremental_by} -> {new.incremental_by}"
        yield Change(f"{path}.incremental_by", by, breaking=False)


def _read(reads: tuple[Read, ...]) -> Mapping[str, Read]:
    return {read.table: read for read in reads}


def _span(read: Read) -> str:
    return f"{read.hours} h, {read.back} h back"


def _expectation(expectations: tuple[Expectation, ...]) -> Mapping[str, Expectation]:
    # Of two with other arguments nothing tells which is stricter: one is removed, and another added.
    return {
        f"{one.type}({', '.join(f'{k}={v!r}' for k, v in sorted(one.kwargs.items()))})": one
        for one in expectations
    }


def _drift(bounds: tuple[Drift, ...]) -> Mapping[str, Drift]:
    return {bound.column: bound for bound in bounds}


def _most(bound: Drift) -> str:
    return f"{bound.most:g}"


def _is_looser(before: Drift, after: Drift) -> bool:
    return after.most > before.most


def _feature(path: str, old: Feature | None, new: Feature | None) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(path, "added" if old is None else "removed", breaking=True)
    else:
        yield from _FEATURE(path, old, new)


_FEATURE = fields(drift=named(_drift, value(_is_looser, _most), removed_breaks=True))

DERIVED_TABLE: Diff = fields(
    description=HARMLESS,
    logic=_logic,
    reads=named(_read, value(breaks=False, show=_span), removed_breaks=False),
    references=named(names, HARMLESS, removed_breaks=False),
    handover=HARMLESS,
    feature=_feature,
    late=fields(share=HARMLESS, wait_s=HARMLESS),
    columns=named(names, DESCRIBED, removed_breaks=True),
    expectations=named(_expectation, HARMLESS, removed_breaks=True),
    owner=HARMLESS,
    domain=HARMLESS,
    version=HARMLESS,
    folder=None,
)
