"""A cell: one isolated Kafka cluster, Iceberg catalog and warehouse. Cells never touch each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.config.names import CELL_FILE, OPTIONAL, TABLES
from pipeline.config.nearest import meant
from pipeline.config.secret_text import marked, marked_all
from pipeline.errors import TerminalError
from pipeline.files import write_atomically
from pipeline.settings import all_settings, cell_settings


class CellNotFoundError(TerminalError):
    """No such cell is configured under this home."""


class CellInvalidError(TerminalError):
    """What a cell.json, headwater.toml or a variable says of a cell cannot be used."""


@dataclass(frozen=True)
class Cell:
    """Where one cell's systems are. Passwords are masked in its representation, and in that of its parts.

    Attributes:
        name: also the name of its Iceberg catalog, which Spark must use too (rows are keyed by it).
        root: folder of the cell's own data.
        bootstrap_servers: Kafka's, comma separated.
        catalog_uri: SQLAlchemy URI of the Iceberg catalog; of SQLite, without query parameters.
        warehouse: URI of the folder that tables live in.
        kafka: further client settings in Kafka's own dotted names (`security.protocol`, ...).
        schema_registry: settings of Confluent's client (`url`, ...) for an own registry; empty: embedded.
        spark: further settings in Spark's own dotted names (`spark.master`, ...).
        s3: where and how a warehouse in S3 is reached (`endpoint`, `region`, `access_key_id`, ...).
        catalog: a REST catalog in PyIceberg's names (`type`, `uri`, ...); empty: that of `catalog_uri`.
        openlineage: where lineage is sent (`transport`, `url`, ...); empty: to files in `root` alone.
        state: folder of fences, locks, heartbeats and the embedded registry; None for `root`.
        state_uri: URI of a PostgreSQL database for fences and leases; None keeps them in that folder alone.
    """

    name: str
    root: Path
    bootstrap_servers: str
    catalog_uri: str
    warehouse: str
    kafka: Mapping[str, Any] = field(default_factory=dict)
    schema_registry: Mapping[str, Any] = field(default_factory=dict)
    spark: Mapping[str, Any] = field(default_factory=dict)
    s3: Mapping[str, Any] = field(default_factory=dict)
    catalog: Mapping[str, Any] = field(default_factory=dict)
    openlineage: Mapping[str, Any] = field(default_factory=dict)
    state: Path | None = None
    state_uri: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "catalog_uri", marked("", self.catalog_uri))
        if self.state_uri is not None:
            object.__setattr__(self, "state_uri", marked("", self.state_uri))
        for name in TABLES:
            object.__setattr__(self, name, marked_all(getattr(self, name)))

    @property
    def state_db(self) -> Path:
        """SQLite file of hour fences and other control state, where `state_uri` names no place for them."""
        return (self.state or self.root) / "state.db"

    @property
    def registry_db(self) -> Path:
        """SQLite file of the embedded schema registry."""
        return (self.state or self.root) / "registry.db"

    @property
    def locks(self) -> Path:
        """Folder of lock files."""
        return (self.state or self.root) / "locks"


def embedded_cell(home: Path, name: str, bootstrap_servers: str) -> Cell:
    """Return the cell that the local stack runs: SQLite catalog, warehouse on local disk."""
    root = home / "cells" / name
    return Cell(
        name=name,
        root=root,
        bootstrap_servers=bootstrap_servers,
        catalog_uri=f"sqlite:///{root / 'catalog.db'}",
        warehouse=(root / "warehouse").as_uri(),
    )


def save_cell(home: Path, cell: Cell) -> None:
    """Write `cell` to `<home>/cells/<name>/cell.json`, atomically; its secrets in plain."""
    document = {
        "name": cell.name,
        "bootstrap_servers": cell.bootstrap_servers,
        "catalog_uri": cell.catalog_uri,
        "warehouse": cell.warehouse,
        "kafka": dict(cell.kafka),
        "schema_registry": dict(cell.schema_registry),
        "spark": dict(cell.spark),
        **{name: dict(table) for name in OPTIONAL if (table := getattr(cell, name))},
        **({"state": str(cell.state)} if cell.state else {}),
        **({"state_uri": cell.state_uri} if cell.state_uri else {}),
    }
    _write(home, cell.name, document)


def save_brokers(home: Path, name: str, bootstrap_servers: str) -> None:
    """Write the brokers' address to the cell's cell.json, atomically; all else that it says stays.

    Where there is none, it is made: the one of `embedded_cell`.

    Raises:
        CellInvalidError: there is one, and it is not JSON.
    """
    path = _path(home, name)
    if not path.exists():
        save_cell(home, embedded_cell(home, name, bootstrap_servers))
        return
    try:
        document = json.loads(path.read_text())
        _write(home, name, {**document, "bootstrap_servers": bootstrap_servers})
    except (ValueError, TypeError) as error:
        raise CellInvalidError(
            f"{path} cannot be read ({error}).", subject=f"cell {name}", remedy=_CORRECT
        ) from error


def load_cell(home: Path, name: str, *, bootstrap_servers: str | None = None) -> Cell:
    """Return the cell `name`: each setting of the highest layer that says it.

    Layers are the variables of the process, headwater.toml and the cell's cell.json. What none says is as
    `embedded_cell` has it, with `bootstrap_servers` for its brokers.

    Raises:
        CellNotFoundError: no layer names a cell of that name.
        CellInvalidError: what one says of it cannot be used, or none says where its brokers are.
        SecretUnreadableError: a secret is not in the file, the variable or the command that a setting names.
    """
    found = cell_settings(home, name)
    path = _path(home, name)
    if not found.is_known and not found.faults:
        near = meant(name, all_settings(home).cells)
        raise CellNotFoundError(
            "no such cell is configured.",
            subject=f"cell {name}",
            remedy=f"{near}Start it with `headwater up --cell {name}`, or write {path}.",
        )
    if found.section is None:
        listed = " ".join(map(str, found.faults))
        raise CellInvalidError(listed, subject=f"cell {name}", remedy=_CORRECT)
    said = found.section
    # Empty is an address, too: of a cell that never asks its brokers.
    servers = bootstrap_servers if said.bootstrap_servers is None else said.bootstrap_servers
    if servers is None:
        raise CellInvalidError(
            f"neither {path} nor another place says where its brokers are (`bootstrap_servers`).",
            subject=f"cell {name}",
            remedy=f"Start it with `headwater up --cell {name}`, or set it.",
        )
    embedded = embedded_cell(home, name, servers)
    return Cell(
        name=name,
        root=path.parent,
        bootstrap_servers=servers,
        catalog_uri=said.catalog_uri or embedded.catalog_uri,
        warehouse=said.warehouse or embedded.warehouse,
        kafka=said.kafka,
        schema_registry=said.schema_registry,
        spark=said.spark,
        s3={str(name): value for name, value in said.s3.items()},
        catalog=said.catalog,
        openlineage=said.openlineage,
        state=said.state,
        state_uri=said.state_uri,
    )


_CORRECT = "Correct it; docs/reference/cell.md shows one."


def _path(home: Path, name: str) -> Path:
    return home / "cells" / name / CELL_FILE


def _write(home: Path, name: str, document: Mapping[str, Any]) -> None:
    path = _path(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(document, indent=2) + "\n")
