"""The catalogs that behaviour is held to, whichever a cell has."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from pipeline.cells import Cell
from tests.support.postgresql import PostgresqlServer

CATALOGS = ("sqlite", "postgresql")
"""`pytest.mark.parametrize("cell", CATALOGS, indirect=True)`; `quiet_cell` too, and `stage` of crashes."""


def add_option(parser: pytest.Parser) -> None:
    """Let a whole run keep the catalogs of its cells elsewhere: `--catalog postgresql`."""
    parser.addoption(
        "--catalog", choices=CATALOGS, default=CATALOGS[0], help="Where catalogs of cells are."
    )


def in_asked_catalog(cell: Cell, request: pytest.FixtureRequest) -> Cell:
    """Return `cell` with the catalog that the test is parametrized with, else the one of the run."""
    asked = request.config.getoption("--catalog", default=CATALOGS[0])
    return _in_catalog(cell, getattr(request, "param", asked), request)


def address_for_pyiceberg(cell: Cell) -> str:
    """Return the address that PyIceberg opens the cell's catalog with by itself."""
    if cell.catalog_uri.startswith("sqlite:"):
        return f"{cell.catalog_uri}?timeout=60"
    return cell.catalog_uri.replace("postgresql:", "postgresql+psycopg:")


def _in_catalog(cell: Cell, kind: str, request: pytest.FixtureRequest) -> Cell:
    if kind == "sqlite":
        return cell
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return replace(cell, catalog_uri=server.database(f"db_{uuid4().hex}"))
