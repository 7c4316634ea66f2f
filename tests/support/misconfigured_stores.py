"""Faults of warehouses in S3 and of REST catalogs: each leads a cell astray, in one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headwater.stack.ports import free_port
from pipeline.cells import Cell
from tests.support.seaweedfs import SeaweedfsServer

Fault = Callable[[Cell, SeaweedfsServer], Cell]


def in_s3(cell: Cell, server: SeaweedfsServer, **login: str) -> Cell:
    return replace(cell, warehouse="s3://doctored", s3={**server.login, **login})


def behind_rest(cell: Cell, server: SeaweedfsServer, **settings: str) -> Cell:
    """Return the cell as one of REST, with other settings; those that are empty are left out."""
    warehouse = server.warehouse()
    given = {**server.rest(warehouse), **settings}
    catalog = {name: value for name, value in given.items() if value}
    return replace(cell, warehouse=warehouse, s3=server.login, catalog=catalog)


def wrong_secret(cell: Cell, server: SeaweedfsServer) -> Cell:
    return in_s3(cell, server, secret_access_key="guessed")  # noqa: S106 - it is wrong


def missing_bucket(cell: Cell, server: SeaweedfsServer) -> Cell:
    return replace(in_s3(cell, server), warehouse="s3://no-such-bucket")


def closed_store(cell: Cell, server: SeaweedfsServer) -> Cell:
    return in_s3(cell, server, endpoint=f"http://127.0.0.1:{free_port()}")


def wrong_credential(cell: Cell, server: SeaweedfsServer) -> Cell:
    return behind_rest(cell, server, credential="headwater:guessed")


def wrong_token(cell: Cell, server: SeaweedfsServer) -> Cell:
    return behind_rest(cell, server, credential="", token="guessed")  # noqa: S106 - it is wrong


def unknown_warehouse(cell: Cell, server: SeaweedfsServer) -> Cell:
    return behind_rest(cell, server, warehouse="s3://no-such-warehouse")


def closed_catalog(cell: Cell, server: SeaweedfsServer) -> Cell:
    return behind_rest(cell, server, uri=f"http://127.0.0.1:{free_port()}")


STORE_FAULTS: dict[str, Fault] = {
    "wrong secret for S3": wrong_secret,
    "missing bucket": missing_bucket,
    "closed port of S3": closed_store,
    "wrong credential for the REST catalog": wrong_credential,
    "wrong token for the REST catalog": wrong_token,
    "unknown warehouse of the REST catalog": unknown_warehouse,
    "closed port of the REST catalog": closed_catalog,
}
"""By the first column of docs/reference/misconfigurations.md."""
