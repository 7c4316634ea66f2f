"""The catalogs and warehouses that behaviour is held to, whichever a cell has."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from pipeline.cells import Cell
from tests.support.postgresql import PostgresqlServer
from tests.support.seaweedfs import SeaweedfsServer

CATALOGS = ("sqlite", "postgresql", "rest+s3")
"""What stands after `+` is the warehouse, else local files.

`pytest.mark.parametrize("cell", CATALOGS, indirect=True)`; `quiet_cell` too, and `stage` of crashes.
"""
EVERYWHERE = (*CATALOGS, "postgresql+s3")
"""For what a catalog and a warehouse may get wrong together."""


def add_option(parser: pytest.Parser) -> None:
    """Let a whole run keep the catalogs of its cells elsewhere: `--catalog postgresql`."""
    parser.addoption(
        "--catalog",
        choices=(*EVERYWHERE, "sqlite+s3"),
        default=CATALOGS[0],
        help="Where catalogs of cells are.",
    )


def in_asked_catalog(cell: Cell, request: pytest.FixtureRequest) -> Cell:
    """Return `cell` with the catalog that the test is parametrized with, else the one of the run."""
    asked = request.config.getoption("--catalog", default=CATALOGS[0])
    return _in_catalog(cell, getattr(request, "param", asked), request)


def properties_for_pyiceberg(cell: Cell) -> dict[str, str]:
    """Return what PyIceberg opens the cell's catalog with by itself."""
    if cell.catalog:
        tokens = f"{cell.catalog['uri']}/v1/oauth/tokens"
        return {**cell.catalog, "oauth2-server-uri": tokens, **_of_s3(cell)}
    if cell.catalog_uri.startswith("sqlite:"):
        uri = f"{cell.catalog_uri}?timeout=60"
    else:
        uri = cell.catalog_uri.replace("postgresql:", "postgresql+psycopg:")
    return {"type": "sql", "uri": uri, "warehouse": cell.warehouse, **_of_s3(cell)}


def _of_s3(cell: Cell) -> dict[str, str]:
    if not cell.s3:
        return {}
    return {
        "s3.endpoint": cell.s3["endpoint"],
        "s3.access-key-id": cell.s3["access_key_id"],
        "s3.secret-access-key": cell.s3["secret_access_key"],
        "s3.region": "us-east-1",
    }


def _in_catalog(cell: Cell, kind: str, request: pytest.FixtureRequest) -> Cell:
    catalog, _, store = kind.partition("+")
    name = uuid4().hex
    if store:
        seaweedfs: SeaweedfsServer = request.getfixturevalue("seaweedfs")
        if catalog == "rest":
            bucket = seaweedfs.warehouse()
            cell = replace(cell, catalog=seaweedfs.rest(bucket))
        else:
            bucket = seaweedfs.bucket(f"b{name}")
        cell = replace(cell, warehouse=bucket, s3=seaweedfs.login)
    if catalog == "postgresql":
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        cell = replace(cell, catalog_uri=server.database(f"db_{name}"))
    return cell
