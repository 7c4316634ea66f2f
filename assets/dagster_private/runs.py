"""Names that runs bear, and the type of a job. Importing this imports no Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What `define_asset_job` returns: no public name is given to it.
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as UnresolvedAssetJobDefinition,
    )

ASSET_JOB = "__ASSET_JOB"
"""The job of runs that are launched from an asset's page, and of backfills."""

GRPC_INFO_TAG = ".dagster/grpc_info"
"""The tag of a run that says at which socket the code server listens that was asked to start it."""
