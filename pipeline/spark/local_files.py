"""Files on this machine's disks, written by Spark without a process for each of them.

Hadoop's own file system starts `chmod` for every file and folder that it makes, as long as its native code
is not installed: at a file an hour, that is most of the time of a backfill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.spark.settings import CLASS_PATH, MASTER

FILE_SYSTEM = "spark.hadoop.fs.file.impl"
_CLASS = "com.globalmentor.apache.hadoop.fs.BareLocalFileSystem"
_ARTIFACT = "hadoop-bare-naked-local-fs-"


def local_files_config(given: Mapping[str, str], jars: Iterable[Path]) -> dict[str, str]:
    """Return the settings of a file system that sets permissions in the JVM; checksums stay Hadoop's.

    None where the cell names a file system of its own, Spark's executors are elsewhere, or `jars` lack it.
    """
    local = given.get(MASTER, "local").startswith("local")
    jar = next((str(jar) for jar in jars if jar.name.startswith(_ARTIFACT)), None)
    if jar is None or not local or FILE_SYSTEM in given:
        return {}
    return {FILE_SYSTEM: _CLASS, CLASS_PATH: ":".join(filter(None, (given.get(CLASS_PATH), jar)))}
