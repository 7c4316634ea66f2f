"""The list that the check of SQL has of Spark's functions is what the installed Spark says of itself."""

from __future__ import annotations

from pyspark.sql import SparkSession

from pipeline.contract.checks.sql.functions import spark_functions


def test_the_list_of_functions_is_sparks(spark: SparkSession) -> None:
    shown = {row.function for row in spark.sql("SHOW SYSTEM FUNCTIONS").collect()}
    named = {name for name in shown if name.replace("_", "").isalnum()}
    assert spark_functions() == named
