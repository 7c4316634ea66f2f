"""Settings: from the environment, which is read here and nowhere else, headwater.toml and cell.json."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.names import CONFIG_FILE, FAILPOINT, HOME
from pipeline.config.names import MIN_INGEST_MEMORY_MB as MIN_INGEST_MEMORY_MB
from pipeline.config.project import IS_CHECKOUT, SOURCE, find_project
from pipeline.errors import TerminalError

if TYPE_CHECKING:
    from pipeline.config.layer import Fault
    from pipeline.config.read import CellReading, Reading
    from pipeline.config.reference import SecretUnreadableError
    from pipeline.logs import LogFormat

PROJECT = SOURCE
"""The checkout that this code is of, for what belongs to it: tests, benchmarks."""


class SettingInvalidError(TerminalError):
    """A setting, of a variable or of headwater.toml, cannot be used."""


@dataclass(frozen=True)
class Settings:
    """What was set when `load_settings` read it. What cells say is read with each: see `load_cell`.

    Attributes:
        project: folder of what people write: contracts and workspace.yaml are there by default, and the home.
        home: folder that holds every byte the platform keeps.
        contracts: folder of contracts.
        cache: per-user cache of verified jars.
        failpoint: where a test ends the process.
        java_home: a Java; None for the one on the PATH.
        ingest_memory_mb: MiB for what an ingest has in hand, beyond about 450 of its own.
        data_docs: address at which Data Docs are served.
        log_level: the least that is logged, by logging's name; None where each process has its own default.
        log_format: of what is logged; as `pipeline.logs`.
        config: the headwater.toml that is read; None for the one in `home`, be it there or not.
    """

    project: Path
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
    from pipeline.config.read import config_file, read_platform

    env = os.environ if environment is None else environment
    home, project = home_of(env), find_project()
    reading = read_platform(env, home)
    refuse(reading.grave)
    found = reading.configuration()
    java_home, config = env.get("JAVA_HOME"), config_file(env, home)
    return Settings(
        project=project,
        home=home,
        contracts=(found.contracts or project / "contracts").absolute(),
        cache=(found.cache or Path.home() / ".cache" / "headwater").absolute(),
        failpoint=env.get(FAILPOINT) or None,
        java_home=Path(java_home) if java_home else None,
        ingest_memory_mb=found.ingest.memory_mb,
        data_docs=found.data_docs.url,
        log_level=found.logging.level,
        log_format=found.logging.format,
        config=None if config == home / CONFIG_FILE else config,
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


def all_settings(home: Path | None = None) -> Reading:
    """Return every layer with all that is wrong in it, of every cell of the home, or of another one."""
    from pipeline.config.read import read_all

    return read_all(os.environ, home or home_of(os.environ))


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
    return Path(environment.get(HOME) or find_project() / ".headwater").absolute()


def code_environment() -> dict[str, str]:
    """Return the variables by which another interpreter imports this very code, whatever it works in.

    A project's own folders hide none of it: `assets` and `pipeline` are names that others have, too.
    """
    path = os.pathsep.join(filter(None, (str(SOURCE), os.environ.get("PYTHONPATH"))))
    return {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": path} if IS_CHECKOUT else {})


def wants_colors() -> bool:
    """Return whether a terminal may be given colours: not where `NO_COLOR` says anything."""
    return not os.environ.get("NO_COLOR")


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
