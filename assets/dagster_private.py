"""What Dagster keeps to itself and Headwater uses: all of it, each part with why.

Another version may change it without a word: so the range in pyproject.toml ends at the next minor
version, and tests/unit/test_private_parts.py tells what has changed. Importing this imports no Dagster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What `define_asset_job` returns: no public name is given to it.
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as UnresolvedAssetJobDefinition,
    )

DAEMON = "dagster._daemon"
"""The module that `dagster-daemon` runs, for `python -m`: the command may be on nobody's path."""

GRPC_INFO_TAG = ".dagster/grpc_info"
"""The tag of a run that says at which socket the code server listens that was asked to start it."""
