"""Apache DataFusion Comet: Spark's scans, shuffles and operators run natively, where there is one."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from pipeline.catalogs.s3 import is_s3
from pipeline.cells import Cell
from pipeline.errors import TerminalError
from pipeline.spark.settings import CLASS_PATH, MASTER, REMOTE

COMET = "spark.comet.enabled"
"""Comet's own switch, and the cell's: nothing of Comet is fetched or loaded where it is false."""
SPARK_VERSION = "4.1"
PLATFORMS = {("Linux", "x86_64"), ("Linux", "aarch64")}
"""What the pinned jar has native code for."""

_SPARKS_OWN = (
    "Acos Acosh ArraysOverlap Asin Asinh Atan Atan2 Atanh Cbrt CollectSet Cos Cosh Cot Csc Exp Expm1 Hypot "
    "Log Log10 Log1p Log2 Logarithm Pow Sec Sin Sinh Tan Tanh ToDegrees ToRadians"
)
"""Comet's functions of doubles have other last digits, its sets put NaNs together, some lists fail."""
_ARTIFACT = "comet-spark-"
_OFF_HEAP = "spark.memory.offHeap.size"
_DRIVER_MEMORY = "spark.driver.memory"
_PLUGINS = "spark.plugins"
_SHUFFLE = "spark.shuffle.manager"


class CometNotSupportedError(TerminalError):
    """The cell turns Comet on where there is none."""


def uses_comet(cell: Cell) -> bool:
    """Return whether the cell's Spark has Comet: as the cell says; by default, where there is one for it.

    Raises:
        CometNotSupportedError: the cell turns it on, and there is none for this machine or this Spark,
            Spark does not run in this process, the warehouse is in S3, or the cell has a shuffle manager.
    """
    said = cell.spark.get(COMET)
    if said is not None and str(said).lower() != "true":
        return False
    why = _why_not(cell)
    if why and said is not None:
        raise CometNotSupportedError(
            f"{why}.",
            subject=f"`{COMET}` of cell {cell.name}",
            remedy="Take it out of `spark` in the cell's settings; docs/reference/cell.md tells more.",
        )
    return not why


def _why_not(cell: Cell) -> str | None:
    """Return why there is no Comet for the cell, or None where there is."""
    here = platform.system(), platform.machine()
    spark = version("pyspark")
    master = str(cell.spark.get(MASTER, "local"))
    if here not in PLATFORMS:
        return f"Comet has no native code for {' '.join(here)}"
    if not spark.startswith(f"{SPARK_VERSION}."):
        return f"the pinned Comet is for Spark {SPARK_VERSION}, and this is {spark}"
    if is_s3(cell.warehouse):
        return "Comet is supported with a warehouse on local files, not in S3"
    if REMOTE in cell.spark:
        # Its address is not told: a token may be in it.
        return "Comet is supported with Spark in this process, not on a Spark Connect server"
    if not master.startswith("local"):
        return f"Comet is supported with Spark in this process, not on {master}"
    if _SHUFFLE in cell.spark:
        return f"Comet has a shuffle manager of its own in place of `{_SHUFFLE}`"
    return None


def comet_config(cell: Cell, given: Mapping[str, str], jars: Iterable[Path]) -> dict[str, str]:
    """Return the settings that load Comet beside those `given`; none where the cell or `jars` have no Comet.

    Off the heap it may use as much as Spark's heap may hold, unless the cell says how much. What Comet is
    known to compute otherwise than Spark stays Spark's. Its other settings (`spark.comet...`) are the cell's.

    Raises:
        CometNotSupportedError: as `uses_comet`.
    """
    jar = next((str(jar) for jar in jars if jar.name.startswith(_ARTIFACT)), None)
    if not uses_comet(cell) or jar is None:
        return {}
    plugins = ("org.apache.spark.CometPlugin", given.get(_PLUGINS))
    # Classes of a plugin's jar alone would be another loader's than the shuffle manager's.
    class_path = (jar, given.get(CLASS_PATH))
    own = (f"spark.comet.expression.{name}.enabled" for name in _SPARKS_OWN.split())
    return {
        **{name: given.get(name, "false") for name in own},
        _SHUFFLE: "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
        "spark.memory.offHeap.enabled": "true",
        _OFF_HEAP: given.get(_OFF_HEAP, given.get(_DRIVER_MEMORY, "1g")),
        _PLUGINS: ",".join(filter(None, plugins)),
        CLASS_PATH: ":".join(filter(None, class_path)),
    }
