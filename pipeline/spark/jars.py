"""The jars that Spark needs beyond its own."""

from __future__ import annotations

from pathlib import Path

from pipeline.jars import installed_jars


def spark_jars(cache: Path) -> tuple[Path, ...]:
    """Return the paths of Iceberg's runtime and the catalog's JDBC driver.

    Raises:
        JarMissingError: `headwater up` has not fetched them yet.
    """
    return installed_jars(cache, "spark")
