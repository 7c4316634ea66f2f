"""The jobs of a product: the long ingest, the hourly build of its derived tables, and upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import AssetCheckKey, AssetSelection, define_asset_job, in_process_executor

from assets.keys import OPEN_CHECK, Keys

if TYPE_CHECKING:
    from assets.dagster_private.runs import UnresolvedAssetJobDefinition

INGEST = "ingest"
BATCH = "batch"
MAINTENANCE = "maintenance"
DEAD_LETTERS = "dead_letters"


def ingest_job(keys: Keys) -> UnresolvedAssetJobDefinition:
    """Return the job that ingests the product for hours; its runs are tagged `ingest`."""
    return define_asset_job(
        keys.name("ingest"),
        # Selected with their assets otherwise: it is the review's to look at.
        selection=AssetSelection.assets(keys.events, keys.dead_letters)
        - AssetSelection.checks(AssetCheckKey(keys.dead_letters, OPEN_CHECK)),
        description=f"Ingests {keys.product.name} in cell {keys.cell}, until told to stop.",
        executor_def=in_process_executor,
        tags=keys.run_tags(INGEST),
    )


def hourly_job(keys: Keys) -> UnresolvedAssetJobDefinition:
    """Return the job that builds hours of all derived tables, in one process and one Spark session."""
    selection = [keys.derived_table(derived_table) for derived_table in keys.product.derived_tables]
    return define_asset_job(
        keys.name("hourly"),
        selection=AssetSelection.assets(*selection),
        description=f"Builds hours of {keys.product.name}'s derived tables in cell {keys.cell}.",
        executor_def=in_process_executor,
        tags=keys.run_tags(BATCH),
    )


def maintenance_job(keys: Keys) -> UnresolvedAssetJobDefinition:
    """Return the job that maintains all tables of the product."""
    return define_asset_job(
        keys.name("maintenance"),
        selection=AssetSelection.assets(keys.maintenance),
        description=f"Maintains {keys.product.name}'s tables in cell {keys.cell}.",
        executor_def=in_process_executor,
        tags=keys.run_tags(MAINTENANCE),
    )


def review_job(keys: Keys) -> UnresolvedAssetJobDefinition:
    """Return the job that reviews the product's dead letters, and holds the open ones to the contract."""
    return define_asset_job(
        keys.name("dead_letter_review"),
        selection=AssetSelection.assets(keys.dead_letter_review)
        | AssetSelection.checks(AssetCheckKey(keys.dead_letters, OPEN_CHECK)),
        description=f"Reviews dead letters of {keys.product.name} in cell {keys.cell}.",
        executor_def=in_process_executor,
        tags=keys.run_tags(DEAD_LETTERS),
    )
