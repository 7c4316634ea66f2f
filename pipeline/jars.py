"""The Java archives that Headwater needs: pinned by hash, kept once a user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TerminalError

LOCK = Path(__file__).with_name("jars.lock")
BROKER = "kafka"
"""The set that a broker runs on; the others are for Spark."""


class JarMissingError(TerminalError):
    """A jar is not in the user's cache."""


@dataclass(frozen=True)
class Jar:
    """One line of jars.lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinates(self) -> str:
        """Its Maven coordinates."""
        return f"{self.group}:{self.artifact}:{self.version}"

    def path(self, cache: Path) -> Path:
        """Where it lies in `cache`; a changed hash is another place."""
        return cache / "jars" / self.sha256[:16] / f"{self.artifact}-{self.version}.jar"


def locked_jars(name: str, lock: Path = LOCK) -> tuple[Jar, ...]:
    """Return the jars of the set `name` in a lock file: `kafka` or `spark` in the engine's own."""
    jars = []
    for line in lock.read_text().splitlines():
        if line.startswith(f"{name} "):
            _, coordinates, sha256 = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, sha256))
    return tuple(jars)


def lock_sets(lock: Path = LOCK) -> tuple[str, ...]:
    """Return the names of all sets of a lock file."""
    lines = lock.read_text().splitlines()
    return tuple(sorted({line.split()[0] for line in lines if line and line[0] != "#"}))


def installed_jars(cache: Path, name: str, lock: Path = LOCK) -> tuple[Path, ...]:
    """Return the paths of the set's jars, all of which exist.

    Raises:
        JarMissingError: one was never fetched.
    """
    paths = {jar: jar.path(cache) for jar in locked_jars(name, lock)}
    for jar, path in paths.items():
        if not path.exists():
            raise JarMissingError(
                f"it is not in {cache}.",
                subject=jar.coordinates,
                remedy="Run `headwater jars`, or `headwater up`.",
            )
    return tuple(paths.values())
