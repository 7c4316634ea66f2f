"""Settings: from the environment, which is read here and nowhere else, headwater.toml and cell.json."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.names import CONFIG, FAILPOINT, HOME
from pipeline.config.names import MIN_INGEST_MEMORY_MB as MIN_INGEST_MEMORY_MB
from pipeline.errors import TerminalError

if TYPE_CHECKING:
    from pipeline.config.layer import Fault
    from pipeline.config.read import CellReading, Reading
    from pipeline.config.reference import SecretUnreadableError
    from pipeline.logs import LogFormat

_SOURCE = Path(__file__).resolve().parent.parent
PROJECT = _SOURCE if (_SOURCE / "pyproject.toml").exists() else Path.cwd()
"""The checkout that this code is of; the working directory where it was installed from a wheel."""


class SettingInvalidError(TerminalError):
    """A setting, of a variable or of headwater.toml, cannot be used."""


@dataclass(frozen=True)
class Settings:
    """What was set when `load_settings` read it. What cells say is read with each: see `load_cell`.

    Attributes:
        home: folder that holds every byte the platform keeps.
        contracts: folder of contracts.
        cache: per-user cache of verified jars.
        failpoint: where a test ends the process.
        java_home: a Java; None for the one on the PATH.
        ingest_memory_mb: MiB for what an ingest has in hand, beyond about 450 of its own.
        data_docs: address at which Data Docs are served.
        log_level: the least that is logged, by logging's name; None where each process has its own default.
        log_format: of what is logged; as `pipeline.logs`.
        config: the headwater.toml that `HEADWATER_CONFIG` names; None for the one in `home`.
    """

    home: Path
    contracts: Path
    cache: Path
    failpoint: str | None
    java_home: Path | None
    ingest_memory_mb: int = 1024
    data_docs: str | None = None
    log_level: str | None = None
    log_format: LogFormat = "text"
    config: Path | None = None

    @property
    def logs(self) -> Path:
        """Folder of every service's log."""
        return self.home / "logs"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings, with `environment` for the process's own. Creates nothing.

    Raises:
        SettingInvalidError: one that is no cell's cannot be used, or headwater.toml cannot be read.
    """
    # What checks types is slow to import, and help has no need of it.
    from pipeline.config.read import read_platform

    env = os.environ if environment is None else environment
    home = home_of(env)
    reading = read_platform(env, home)
    refuse(reading.grave)
    found = reading.configuration()
    java_home, config = env.get("JAVA_HOME"), env.get(CONFIG)
    return Settings(
        home=home,
        contracts=(found.contracts or PROJECT / "contracts").absolute(),
        cache=(found.cache or Path.home() / ".cache" / "headwater").absolute(),
        failpoint=env.get(FAILPOINT) or None,
        java_home=Path(java_home) if java_home else None,
        ingest_memory_mb=found.ingest.memory_mb,
        data_docs=found.data_docs.url,
        log_level=found.logging.level,
        log_format=found.logging.format,
        config=Path(config).absolute() if config else None,
    )


def cell_settings(home: Path, cell: str) -> CellReading:
    """Return what the layers say of a cell of `home`, and what is wrong with it.

    Raises:
        SecretUnreadableError: a secret is not where a setting says.
    """
    from pipeline.config.read import read_cell

    return read_cell(os.environ, home, cell).with_secrets(cell, os.environ)


def unreadable_secrets(home: Path, cell: str) -> tuple[SecretUnreadableError, ...]:
    """Return an error for each secret of a cell that is not where a setting says."""
    from pipeline.config.read import read_cell

    return read_cell(os.environ, home, cell).unreadable_secrets(cell, os.environ)


def own_brokers(home: Path, cell: str) -> str | None:
    """Return where a user says that a valid cell's brokers are; None where its cell.json alone may say it."""
    from pipeline.config.read import own_brokers

    return own_brokers(os.environ, home, cell)


def all_settings() -> Reading:
    """Return every layer with all that is wrong in it, of every cell of the home."""
    from pipeline.config.read import read_all

    return read_all(os.environ, home_of(os.environ))


def dagster_storage_uri(home: Path) -> str | None:
    """Return the address of the database that Dagster's storage is in; None for SQLite in `home`.

    Raises:
        SettingInvalidError: a setting that is no cell's cannot be used, or headwater.toml cannot be read.
        SecretUnreadableError: the address is not where the setting says.
    """
    from pipeline.config.read import read_platform
    from pipeline.config.reference import read_secrets
    from pipeline.config.secret_text import marked

    reading = read_platform(os.environ, home)
    refuse(reading.grave)
    said = {"storage_uri": reading.configuration().dagster.storage_uri}
    found = read_secrets(said, "dagster", os.environ)["storage_uri"]
    uri: str | None = marked("", str(found)) if found else None
    return uri


def home_of(environment: Mapping[str, str]) -> Path:
    """Return the folder that `HEADWATER_HOME` names, `.headwater` in the project by default."""
    return Path(environment.get(HOME) or PROJECT / ".headwater").absolute()


def refuse(faults: Sequence[Fault]) -> None:
    """Return if there are no faults.

    Raises:
        SettingInvalidError: there are; it tells the first one.
    """
    if not faults:
        return
    first = faults[0]
    more = f" ({len(faults) - 1} more: `headwater config check` lists all.)" if faults[1:] else ""
    raise SettingInvalidError(
        f"{first.key} {first.what}".strip(), subject=first.where, remedy=f"{first.remedy}{more}"
    )
