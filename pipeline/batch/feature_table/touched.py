"""The partitions of a feature table that builds of some hours have rows of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from pipeline.batch.compute.read import of_hours
from pipeline.batch.feature_table.newest import newest
from pipeline.batch.model import Staged
from pipeline.contract.model import Feature
from pipeline.spark.column_types import quoted
from pipeline.tables.layout import BUILD_COLUMN


def touched_partitions(
    history: DataFrame, feature: Feature, staged: Staged, builds: Mapping[datetime, str]
) -> pa.Table | None:
    """Return the partitions that the builds of the staged hours have rows of, a column a column.

    None where one of them is to be left without rows, as nothing that is written replaces it: an
    earlier build of one of the hours had some there, and nothing else has. `builds` maps each hour to
    the build that counts.
    """
    parts = [quoted(name) for name in feature.partitions]
    is_of_build = sf.max(sf.col(BUILD_COLUMN) == staged.wap_id)
    of_staged = history.where(of_hours(staged.starts))
    found = of_staged.groupBy(*parts).agg(is_of_build.alias(BUILD_COLUMN)).toArrow()
    touched, of_build = found.drop_columns(BUILD_COLUMN), found.column(BUILD_COLUMN).to_pylist()
    if not all(of_build):
        left = newest(history, feature, touched, builds).select(*parts).distinct().toArrow()
        kept = {tuple(row.values()) for row in left.to_pylist()}
        if any(tuple(row.values()) not in kept for row in touched.to_pylist()):
            return None
    return touched
