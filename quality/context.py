"""Great Expectations' contexts: in memory, without analytics, and without a word on the terminal."""

from __future__ import annotations

import logging

import great_expectations as gx
from great_expectations.data_context.data_context.abstract_data_context import (
    AbstractDataContext,
)
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

# It warns of values beyond the outermost edges, which drift counts as bins of their own.
logging.getLogger(
    "great_expectations.expectations.metrics.column_aggregate_metrics.column_histogram"
).setLevel(logging.ERROR)


def quiet_context(config: DataContextConfig | None = None) -> AbstractDataContext:
    """Return a context of its own; without `config` it keeps nothing, on disk neither."""
    if config is None:
        # By default it would leave a folder for a site in the system's temporary one.
        defaults = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        config = DataContextConfig(store_backend_defaults=defaults)
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context
