"""Reference data as Spark sees it."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from pipeline.contract.model import Product, Reference
from pipeline.contract.reference import load_reference


def reference_frame(session: SparkSession, product: Product, reference: Reference) -> DataFrame:
    """Return reference data of `product`; the columns joined on have the payload's types.

    Raises:
        ReferenceDataError: it cannot be read.
    """
    return session.createDataFrame(load_reference(product, reference).frame.to_arrow())
