"""A cell: one isolated Kafka cluster, Iceberg catalog and warehouse. Cells never touch each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import TerminalError
from pipeline.files import write_atomically


class CellNotFoundError(TerminalError):
    """No such cell is configured under this home."""


class CellInvalidError(TerminalError):
    """A cell.json is not one."""


@dataclass(frozen=True)
class Cell:
    """Where one cell's systems are.

    Attributes:
        name: also the name of its Iceberg catalog, which Spark must use too (rows are keyed by it).
        root: folder of the cell's own data.
        bootstrap_servers: Kafka's, comma separated.
        catalog_uri: SQLAlchemy URI of the Iceberg catalog, without query parameters.
        warehouse: URI of the folder that tables live in.
        kafka: further client settings in Kafka's own dotted names (`security.protocol`, ...).
        schema_registry: settings of Confluent's client (`url`, ...) for an own registry; empty: embedded.
        spark: further settings in Spark's own dotted names (`spark.master`, ...).
    """

    name: str
    root: Path
    bootstrap_servers: str
    catalog_uri: str
    warehouse: str
    kafka: Mapping[str, Any] = field(default_factory=dict)
    schema_registry: Mapping[str, Any] = field(default_factory=dict)
    spark: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state_db(self) -> Path:
        """SQLite file of hour fences and other control state."""
        return self.root / "state.db"

    @property
    def registry_db(self) -> Path:
        """SQLite file of the embedded schema registry."""
        return self.root / "registry.db"

    @property
    def locks(self) -> Path:
        """Folder of lock files."""
        return self.root / "locks"


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
    """Write `cell` to `<home>/cells/<name>/cell.json`, atomically."""
    document = {
        "name": cell.name,
        "bootstrap_servers": cell.bootstrap_servers,
        "catalog_uri": cell.catalog_uri,
        "warehouse": cell.warehouse,
        "kafka": dict(cell.kafka),
        "schema_registry": dict(cell.schema_registry),
        "spark": dict(cell.spark),
    }
    path = home / "cells" / cell.name / "cell.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(document, indent=2) + "\n")


def load_cell(home: Path, name: str) -> Cell:
    """Read the cell `name`. Settings that an older cell.json lacks are empty.

    Raises:
        CellNotFoundError: no cell of that name is configured under `home`.
        CellInvalidError: its cell.json is not JSON, or does not say what `save_cell` writes.
    """
    path = home / "cells" / name / "cell.json"
    try:
        return Cell(root=path.parent, **json.loads(path.read_text()))
    except FileNotFoundError:
        raise CellNotFoundError(
            "no such cell is configured.",
            subject=f"cell {name}",
            remedy=f"Start it with `headwater up --cell {name}`, or write {path}.",
        ) from None
    except (ValueError, TypeError) as error:
        raise CellInvalidError(
            f"{path} cannot be read ({error}).",
            subject=f"cell {name}",
            remedy="Correct it; docs/reference/cell.md shows one.",
        ) from error
