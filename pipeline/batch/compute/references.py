"""Reference data as Spark reads it."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from pipeline.contract.model import Product, Reference
from pipeline.contract.references.data import load_reference


def reference_frame(session: SparkSession, product: Product, reference: Reference) -> DataFrame:
    """Return one reference of `product`, all of its columns, as it is in the file now.

    Columns joined on have the types that the payload gives them; `validFrom` is a timestamp. No two
    rows have equal keys and equal `validFrom`. Rows are in no order.

    Raises:
        ReferenceDataError: as `load_reference`.
    """
    return session.createDataFrame(load_reference(product, reference).frame.to_arrow())
