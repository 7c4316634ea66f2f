"""The jars that Spark needs beyond its own."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogs import postgresql
from pipeline.cells import Cell
from pipeline.jars import installed_jars
from pipeline.spark.comet import uses_comet


def spark_jars(cache: Path, cell: Cell) -> tuple[Path, ...]:
    """Return the paths of Iceberg's runtime, the catalog's JDBC driver, and Comet where the cell has it.

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
    if cell.catalog_uri.startswith(postgresql.BACKEND):
        sets.append(postgresql.BACKEND)
    if uses_comet(cell):
        sets.append("comet")
    return tuple(sets)
