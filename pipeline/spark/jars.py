"""The jars that Spark needs beyond its own."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogs import postgresql, s3
from pipeline.cells import Cell
from pipeline.jars import installed_jars
from pipeline.spark.comet import uses_comet


def spark_jars(cache: Path, cell: Cell) -> tuple[Path, ...]:
    """Return the paths of Iceberg's runtime, and of what the cell's catalog, S3 and Comet need.

    Raises:
        CometNotSupportedError: the cell turns Comet on, and there is none for it.
        JarMissingError: `headwater up` has not fetched them yet.
    """
    return tuple(jar for name in jar_sets(cell) for jar in installed_jars(cache, name))


def jar_sets(cell: Cell) -> tuple[str, ...]:
    """Return which sets of `jars.lock` the cell's Spark needs.

    Raises:
        CometNotSupportedError: the cell turns Comet on, and there is none for it.
    """
    sets = ["spark"]
    if not cell.catalog and cell.catalog_uri.startswith(postgresql.BACKEND):
        sets.append(postgresql.BACKEND)
    if s3.is_s3(cell.warehouse):
        sets.append(s3.SET)
    if uses_comet(cell):
        sets.append("comet")
    return tuple(sets)
