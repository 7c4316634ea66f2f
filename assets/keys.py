"""Names of everything that one product has in one cell's code location."""

from __future__ import annotations

import re
from dataclasses import dataclass

import dagster as dg

from pipeline.contract.model import DerivedTable, Product, Reference

LEDGER_CHECK = "ledger_balances"
AUDIT_CHECK = "audit"
LINEAGE_CHECK = "lineage_complete"
OPEN_CHECK = "open_dead_letters"

CELL_TAG = "headwater/cell"
PRODUCT_TAG = "headwater/product"
KIND_TAG = "headwater/kind"
SPARK_POOL = "spark"
"""What runs that start Spark wait for, however they were launched."""
MAINTENANCE_POOL = "maintenance"
"""What upkeep waits for: apart from Spark's, so that neither it nor hours wait for the other."""
HOURS_TAG = "headwater/hours"
DUE_TAG = "headwater/due"
WHY_TAG = "headwater/why"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PARTITION_TAG = "dagster/partition"


@dataclass(frozen=True)
class Keys:
    """Asset keys, job names and tags of one product in one cell."""

    cell: str
    product: Product

    def key(self, *path: str) -> dg.AssetKey:
        """Return an asset key under the cell and the product."""
        return dg.AssetKey([self.cell, self.product.name, *path])

    @property
    def topic(self) -> dg.AssetKey:
        """The Kafka topic."""
        return self.key("topic")

    @property
    def events(self) -> dg.AssetKey:
        """The table of events."""
        return self.key("events")

    @property
    def dead_letters(self) -> dg.AssetKey:
        """The table of dead letters."""
        return self.key("dead_letters")

    @property
    def dead_letter_topic(self) -> dg.AssetKey:
        """The topic that dead letters are fed to."""
        return self.key("dead_letter_topic")

    @property
    def dead_letter_review(self) -> dg.AssetKey:
        """Reviews of the dead letters of the last days."""
        return self.key("dead_letter_review")

    @property
    def watermark(self) -> dg.AssetKey:
        """The event watermark, fresh while the product is within its freshness SLO."""
        return self.key("watermark")

    @property
    def maintenance(self) -> dg.AssetKey:
        """The upkeep of the product's tables."""
        return self.key("maintenance")

    def reference(self, reference: Reference) -> dg.AssetKey:
        """One set of reference data."""
        return self.key("reference", reference.name)

    def derived_table(self, derived_table: DerivedTable) -> dg.AssetKey:
        """One derived table."""
        return self.key(derived_table.name)

    def source(self, table: str) -> dg.AssetKey:
        """The asset that a contract's `table` stands for: the topic, reference data, or a table."""
        is_reference = any(reference.name == table for reference in self.product.references)
        return self.key("reference", table) if is_reference else self.key(table)

    def table_watermark(self, derived_table: DerivedTable) -> dg.AssetKey:
        """One derived table's watermark, fresh while none of its hours is overdue."""
        return self.key(f"{derived_table.name}_watermark")

    def name(self, part: str) -> str:
        """Return the name of a job, sensor, schedule or op: unique in a code location."""
        return f"{self.cell}__{self.product.name}__{part}"

    @property
    def group(self) -> str:
        """The asset group: one a product."""
        return self.product.name

    @property
    def owners(self) -> list[str]:
        """The contract's owner."""
        return owners(self.product.owner)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every asset and run of the product."""
        return {CELL_TAG: self.cell, PRODUCT_TAG: self.product.name}

    @property
    def asset_tags(self) -> dict[str, str]:
        """Tags of every asset of the product."""
        return {**self.tags, "domain": tag(self.product.domain)}

    def run_tags(self, kind: str) -> dict[str, str]:
        """Tags of a job's runs; `headwater/kind` tells long ingests from batch runs."""
        return {**self.tags, KIND_TAG: kind}


def owners(owner: str) -> list[str]:
    """Return a contract's owner as Dagster takes it: an e-mail address or a team."""
    if "@" in owner:
        return [owner]
    team = owner.removeprefix("team:")
    return ["team:" + re.sub(r"[^A-Za-z0-9_-]+", "-", team).strip("-")]


def tag(text: str) -> str:
    """Return `text` as a tag's value."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-")
