"""The stages that one hour of a derived table is built in, planned from its contract alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.contract.audit_expectations import audit_expectations
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.tables.layout import product_table, publications_table


@dataclass(frozen=True)
class Stage:
    """Compute the hour from pinned inputs and write it off main, tagged against expiry."""

    kind: ClassVar[str] = "stage"
    table: str
    language: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """Hold the staged rows to the contract. An hour without rows is not audited.

    Where the audit fails it is the last stage: an alert is raised, and the staging stays.
    """

    kind: ClassVar[str] = "audit"
    table: str
    expectations: int


@dataclass(frozen=True)
class Publish:
    """Put the staging on main, at once; the hour is staged again where main has changed under it."""

    kind: ClassVar[str] = "publish"
    table: str


@dataclass(frozen=True)
class DeriveFeatures:
    """Bring a feature table up to its history, and let readers have it."""

    kind: ClassVar[str] = "derive features"
    table: str
    history: str


@dataclass(frozen=True)
class Release:
    """Take the digest of the published rows, and let go of the staging."""

    kind: ClassVar[str] = "release"
    table: str


@dataclass(frozen=True)
class Record:
    """Add the hour's row to the product's publications."""

    kind: ClassVar[str] = "record"
    table: str


HourStage = Stage | Audit | Publish | DeriveFeatures | Release | Record


def plan_stages(product: Product, derived_table: DerivedTable) -> tuple[HourStage, ...]:
    """Plan the stages that an hour of a derived table is built in, in their order. A pure function."""
    table = published_table(product, derived_table)
    return (
        Stage(table, derived_table.logic.language, tuple(one.table for one in derived_table.reads)),
        Audit(table, expectations(derived_table)),
        Publish(table),
        *plan_recovery(product, derived_table),
    )


def plan_recovery(product: Product, derived_table: DerivedTable) -> tuple[HourStage, ...]:
    """Plan the stages that are left of an hour that main has and no publication tells of."""
    table = published_table(product, derived_table)
    name = product_table(product.name, derived_table.name)
    return (
        *((DeriveFeatures(name, table),) if derived_table.feature is not None else ()),
        Release(table),
        Record(publications_table(product.name)),
    )


def expectations(derived_table: DerivedTable) -> int:
    """Return how many expectations an hour's audit checks, those on drift among them."""
    return len(audit_expectations(derived_table)) + len(derived_table.drift)
