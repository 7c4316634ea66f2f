"""What Headwater uses of PySpark that it keeps to itself."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark import SparkConf, SparkContext


def ensure_java(arguments: Mapping[str, str]) -> None:
    """Start the process's JVM with settings among its arguments, unless there is one already."""
    conf = SparkConf()
    for name, value in arguments.items():
        conf.set(name, value)
    SparkContext._ensure_initialized(conf=conf)
