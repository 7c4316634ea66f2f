"""Fetching the pinned jars with the Ivy that pyspark bundles."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pyspark
from filelock import FileLock

from headwater.stack.java import java_command
from pipeline.cells import CellNotFoundError, embedded_cell, load_cell
from pipeline.errors import RetryableError, TerminalError
from pipeline.jars import LOCK, Jar, locked_jars
from pipeline.spark.jars import jar_sets

FETCH_TIMEOUT_S = 900


class FetchFailedError(RetryableError):
    """Ivy could not fetch a jar."""


class WrongHashError(TerminalError):
    """A fetched jar is not the pinned one."""


def ensure_jars(
    cache: Path, name: str, say: Callable[[str], None], lock: Path = LOCK
) -> tuple[Path, ...]:
    """Return the paths of the jar set `name` in `cache`, fetching what is absent or damaged.

    A jar becomes visible only once its SHA-256 is the pinned one. Safe when several processes do
    it at once; what was fetched before an interruption is kept. `say` is told what takes long.

    Raises:
        FetchFailedError: the network, or a registry, did not answer.
        WrongHashError: a registry answered with other bytes.
    """
    jars = locked_jars(name, lock)
    if all(_is_good(jar, jar.path(cache)) for jar in jars):
        # Also where the cache cannot be written to, as that of an image.
        return tuple(jar.path(cache) for jar in jars)
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "jars.lock"):
        missing = [jar for jar in jars if not _is_good(jar, jar.path(cache))]
        if missing:
            say(f"fetching {len(missing)} jars for {name} ...")
            _fetch(cache, missing)
            say(f"fetched {len(missing)} jars for {name}, hashes checked")
    return tuple(jar.path(cache) for jar in jars)


def sets_of_cells(home: Path, cells: Iterable[str]) -> tuple[str, ...]:
    """Return the sets that the Spark of any of `cells` needs; an unconfigured cell is as one is made.

    Raises:
        CellInvalidError, CometNotSupportedError: of one of them.
    """
    configured = []
    for name in cells:
        try:
            configured.append(load_cell(home, name, bootstrap_servers=""))
        except CellNotFoundError:
            configured.append(embedded_cell(home, name, ""))
    return tuple(sorted({one for cell in configured for one in jar_sets(cell)}))


def _is_good(jar: Jar, path: Path) -> bool:
    return path.exists() and _sha256(path) == jar.sha256


def _fetch(cache: Path, jars: list[Jar]) -> None:
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
        folder = Path(scratch)
        description = folder / "ivy.xml"
        description.write_text(_ivy_file(jars))
        ivy = next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))
        command = [*java_command(), "-jar", str(ivy), "-cache", str(folder / "cache"), "-warn"]
        command += ["-ivy", str(description), "-types", "jar", "bundle", "-retrieve"]
        command += [str(folder / "out" / "[artifact]-[revision].[ext]")]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
            )
            said = (done.stdout + done.stderr).strip()
        except subprocess.TimeoutExpired:
            said = f"no answer within {FETCH_TIMEOUT_S} s"
        for jar in jars:
            found = folder / "out" / f"{jar.artifact}-{jar.version}.jar"
            if not found.exists():
                raise FetchFailedError(
                    f"it could not be fetched: {said[-600:]}",
                    subject=jar.coordinates,
                    remedy="Check the network and its proxy settings, then try again.",
                )
            if (digest := _sha256(found)) != jar.sha256:
                raise WrongHashError(
                    f"its SHA-256 is {digest}, and {jar.sha256} is pinned.",
                    subject=jar.coordinates,
                    remedy="Do not use it: find out what answers in the registry's place.",
                )
            path = jar.path(cache)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(found, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)


def _ivy_file(jars: list[Jar]) -> str:
    dependencies = "\n".join(
        f"<dependency org={quoteattr(jar.group)} name={quoteattr(jar.artifact)}"
        f' rev={quoteattr(jar.version)} transitive="false" conf="*->default"/>'
        for jar in jars
    )
    return (
        '<ivy-module version="2.0"><info organisation="headwater" module="jars"/>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
