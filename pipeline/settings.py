"""The one module that reads the environment.

| variable | meaning | default |
| --- | --- | --- |
| HEADWATER_HOME | folder that holds every byte the platform keeps | `.headwater` in the project |
| HEADWATER_CONTRACTS | folder of contracts, one folder a data product | `contracts` in the project |
| HEADWATER_CACHE | per-user cache of verified jars | `~/.cache/headwater` |
| HEADWATER_FAILPOINT | `name:visit`: end the process with SIGKILL there (tests only) | unset |
| HEADWATER_INGEST_MEMORY_MB | MiB for what an ingest has in hand, beyond about 450 of its own | `1024` |
| HEADWATER_DATA_DOCS | where Data Docs are served; `headwater up` sets it for what it starts | none |
| JAVA_HOME | Java 17 or newer | `java` on the PATH |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TerminalError

_SOURCE = Path(__file__).resolve().parent.parent
PROJECT = _SOURCE if (_SOURCE / "pyproject.toml").exists() else Path.cwd()
"""The checkout that this code is of; the working directory where it was installed from a wheel."""
MIN_INGEST_MEMORY_MB = 64
"""Below it, micro-batches become too small to be worth their commits."""


class SettingInvalidError(TerminalError):
    """A variable of the environment cannot be used."""


@dataclass(frozen=True)
class Settings:
    """What the environment said when `load_settings` read it."""

    home: Path
    contracts: Path
    cache: Path
    failpoint: str | None
    java_home: Path | None
    ingest_memory_mb: int = 1024
    data_docs: str | None = None

    @property
    def logs(self) -> Path:
        """Folder of every service's log."""
        return self.home / "logs"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `environment`, the process's own by default. Creates nothing.

    Raises:
        SettingInvalidError: a variable is not what its row above says.
    """
    env = os.environ if environment is None else environment
    java_home = env.get("JAVA_HOME")
    return Settings(
        home=Path(env.get("HEADWATER_HOME", PROJECT / ".headwater")).absolute(),
        contracts=Path(env.get("HEADWATER_CONTRACTS", PROJECT / "contracts")).absolute(),
        cache=Path(env.get("HEADWATER_CACHE", Path.home() / ".cache" / "headwater")).absolute(),
        failpoint=env.get("HEADWATER_FAILPOINT") or None,
        java_home=Path(java_home) if java_home else None,
        data_docs=env.get("HEADWATER_DATA_DOCS") or None,
        ingest_memory_mb=_memory_mb(env.get("HEADWATER_INGEST_MEMORY_MB", "1024")),
    )


def _memory_mb(text: str) -> int:
    if not text.isdigit() or int(text) < MIN_INGEST_MEMORY_MB:
        raise SettingInvalidError(
            f"{text!r} is not a whole number of MiB from {MIN_INGEST_MEMORY_MB} on.",
            subject="HEADWATER_INGEST_MEMORY_MB",
            remedy="Correct it, or unset it for 1024.",
        )
    return int(text)
