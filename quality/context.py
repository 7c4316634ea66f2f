"""Great Expectations' contexts and batches: in memory, without analytics, without a word on the terminal."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import great_expectations as gx
from great_expectations.data_context.data_context.abstract_data_context import (
    AbstractDataContext,
)
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from pyspark.sql import DataFrame

from quality.counting.one_pass import OnePass

# It warns of values beyond the outermost edges, which drift counts as bins of their own.
logging.getLogger(
    "great_expectations.expectations.metrics.column_aggregate_metrics.column_histogram"
).setLevel(logging.ERROR)


RESULT_FORMAT: Literal["SUMMARY"] = "SUMMARY"


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


@dataclass(frozen=True)
class OpenBatch:
    """A batch, what evaluates it, and what counts for that."""

    batch: Batch
    engine: SparkDFExecutionEngine
    counts: OnePass


def open_batch(
    frame: DataFrame,
    hours: Mapping[datetime, int] = MappingProxyType({}),
    of_range: Mapping[str, str] = MappingProxyType({}),
) -> OpenBatch:
    """Return `frame` as a batch; what is counted is known of each of `hours`, too, told by `hour`.

    `hours` have as many rows each as it says, and `frame` no others. `of_range` are queries of which rows
    are counted by hour, with what counts them in `frame`'s session.
    """
    # Otherwise it caches the rows as Java objects: more than a driver's heap for an hour of many rows.
    source = quiet_context().data_sources.add_spark("staged", persist=False)
    # Otherwise it asks the process's first session, which knows neither the rows nor the views.
    engine = source.get_execution_engine()
    engine.spark = frame.sparkSession
    counts = OnePass(engine, hours, of_range)
    # Metrics are registered for the engine's class by its name: one of another class would have none.
    engine.resolve_metrics = counts.resolve_metrics  # type: ignore[method-assign]
    asset = source.add_dataframe_asset("hour")
    definition = asset.add_batch_definition_whole_dataframe("all")
    return OpenBatch(definition.get_batch({"dataframe": frame}), engine, counts)
