"""What a published hour, and an audit, say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
import pyarrow as pa

from assets.columns import column_lineage, table_schema
from assets.keys import AUDIT_CHECK, Keys
from assets.partitions import to_key
from assets.steps.links import audit_links, drawn, lineage_link
from assets.steps.provenance import (
    look_further,
    of_snapshot,
    provenance_metadata,
    snapshot_metadata,
)
from pipeline.batch.provenance import Provenance
from pipeline.contract.lineage.sources import derived_sources
from pipeline.contract.model import DerivedTable
from pipeline.control.publications import Publication
from pipeline.tables.snapshots import SnapshotFacts
from quality.audit import AuditResult
from quality.auditor import Audits
from quality.data_docs import Page

NAMED = 48
"""So many hours that were not published a check names."""


@dataclass(frozen=True)
class AboutTable:
    """What the materializations of a table's hours say of it.

    Attributes:
        columns: where its column lineage is drawn, below the Data Docs.
        schema: its own, whose types the contract does not know; None while there is no table.
        snapshots: those that the hours were published in, by their id, as far as they are retained.
        detailed: whether each hour names its inputs and changes, which is much of very many hours.
        page: the product's lineage page, below the Data Docs.
        served_snapshot_id: of a feature table, what its readers read by now.
    """

    derived_table: DerivedTable
    code_version: str
    columns: str | None
    schema: pa.Schema | None = None
    snapshots: Mapping[int, SnapshotFacts] = field(default_factory=dict)
    served_snapshot_id: int | None = None
    page: str | None = None
    detailed: bool = True


@dataclass(frozen=True)
class PublishedHour:
    """An hour that was published, and what it was computed from; None where nobody knows."""

    publication: Publication
    provenance: Provenance | None = None


def hours_published(
    keys: Keys,
    about: AboutTable,
    published: Sequence[PublishedHour],
    pages: Mapping[datetime, Page],
) -> Iterator[dg.AssetMaterialization]:
    """Yield the materialization of each hour's partition, of hours that were published together.

    Columns and their lineage are told with the last, and not thousands of times. `pages` are where audits are
    shown, as far as they are.
    """
    for one in published:
        publication = one.publication
        columns = _columns(keys, about) if one is published[-1] else {}
        yield dg.AssetMaterialization(
            keys.derived_table(about.derived_table),
            partition=to_key(publication.hour),
            metadata={
                "dagster/partition_row_count": publication.rows,
                "table": publication.table,
                "source snapshot id": str(publication.source_snapshot_id),
                "staged snapshot id": str(publication.staged_snapshot_id),
                "published snapshot id": str(publication.published_snapshot_id),
                **snapshot_metadata(about.snapshots.get(publication.published_snapshot_id or 0)),
                **_served(about),
                "published at": dg.MetadataValue.timestamp(publication.published_at),
                "expectations met": publication.expectations,
                "wap id": publication.wap_id,
                "run id": publication.run_id,
                "contract version": publication.contract_version,
                "code version": about.code_version,
                **provenance_metadata(publication, one.provenance, detailed=about.detailed),
                **look_further(keys, _commands(keys, about, publication)),
                **columns,
                **audit_links(keys, pages.get(publication.hour)),
                **lineage_link(keys, about.page, about.derived_table.name),
            },
        )


def _commands(keys: Keys, about: AboutTable, publication: Publication) -> Iterator[str]:
    hour = f"{publication.hour:%Y-%m-%dT%H}"
    yield f"why {keys.product.name} {about.derived_table.name} --hour {hour}"
    # An empty hour has no snapshot.
    if publication.published_snapshot_id is not None:
        yield of_snapshot("table_changes", publication.published_snapshot_id)
    yield of_snapshot("table_history", publication.source_snapshot_id)


def _served(about: AboutTable) -> dict[str, str]:
    served = about.served_snapshot_id
    return {} if served is None else {"served snapshot id": str(served)}


def _columns(keys: Keys, about: AboutTable) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "dagster/column_lineage": column_lineage(keys, derived_sources(about.derived_table))
    }
    if about.schema:
        found["dagster/column_schema"] = table_schema(about.schema, about.derived_table.columns)
    return {**found, **drawn(keys, "columns drawn", about.columns)}


def audit_result(keys: Keys, derived_table: DerivedTable, audits: Audits) -> dg.AssetCheckResult:
    """Return the check's verdict over the hours of one run: passed if every hour did.

    Hours without rows are not audited and do not count.
    """
    failed = [to_key(hour) for hour in audits.failed[:NAMED]]
    more = len(audits.failed) - len(failed)
    named = ", ".join(failed) + (f" and {more} more" if more else "")
    # The hour to look at first: the first that failed, or else the last.
    last = next(reversed(list(audits.pages.values())), None)
    first_page = audits.pages.get(audits.failed[0]) if audits.failed else last
    return dg.AssetCheckResult(
        asset_key=keys.derived_table(derived_table),
        check_name=AUDIT_CHECK,
        passed=not failed,
        description=(f"Not published: {named}." if failed else "Every audited hour is published."),
        metadata={
            "hours audited": audits.hours,
            "hours not published": len(audits.failed),
            "expectations met": audits.met,
            "expectations": audits.expectations,
            "broken expectations": _table(audits.shown, success=False),
            "met": _table(audits.shown, success=True),
            **audit_links(keys, first_page),
        },
    )


def _table(verdicts: Mapping[datetime, AuditResult], *, success: bool) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "hour": to_key(hour),
                "expectation": result.type,
                "column": result.column or "",
                "expected": result.expected,
                "observed": result.observed,
            }
        )
        for hour, verdict in verdicts.items()
        for result in verdict.results
        if result.success is success
    ]
    columns = ["hour", "expectation", "column", "expected", "observed"]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(c) for c in columns]))
