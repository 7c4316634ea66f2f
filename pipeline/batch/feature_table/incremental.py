"""What a feature table is to hold, made from what it has and from rows that are newer than all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from pipeline.batch.feature_table.newest import within
from pipeline.spark.column_types import quoted

BROADCAST_ROWS = 250_000
"""The keys of so many rows, about 50 MB in memory, are sent to every task."""
HASHED_ROWS = 4_000_000
"""Of more rows, the keys may not fit into the memory of the tasks that they are divided among."""


def brought_up(
    current: DataFrame, fresh: DataFrame, keys: Sequence[str], touched: pa.Table, rows: int
) -> DataFrame:
    """Return what the partitions `touched`, and perhaps others, are to hold: `fresh` and rows of `current`.

    `fresh` has `rows` rows of the columns of `current`, each key once, and all of them newer than every row
    of `current`, whose rows of the same keys go. A null is a value like any other.
    """
    replaced = fresh.select(
        *(sf.col(quoted(key)).alias(f"_replaced_{number}") for number, key in enumerate(keys))
    )
    if rows <= HASHED_ROWS:
        # By hash: by merging, rows with all their columns would be sorted.
        replaced = replaced.hint("broadcast" if rows <= BROADCAST_ROWS else "shuffle_hash")
    kept = within(current, touched)
    is_same = reduce(
        and_,
        (
            kept[quoted(key)].eqNullSafe(replaced[f"_replaced_{number}"])
            for number, key in enumerate(keys)
        ),
    )
    return fresh.unionByName(kept.join(replaced, is_same, "left_anti"))
