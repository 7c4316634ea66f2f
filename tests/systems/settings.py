"""The headwater.toml of a user whose systems are their own, each secret said by reference."""

from __future__ import annotations

import secrets
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from tests.support.postgresql import PostgresqlServer
from tests.support.seaweedfs import SeaweedfsServer
from tests.systems.canaries import Canaries
from tests.systems.cluster import USER, Cluster

KINDS = ("postgresql+s3", "sqlite+files", "rest+s3")
"""Where the catalog is, and the warehouse."""
SAMPLE = ("postgresql+s3", "rest+s3")
"""Those of the short form: what is over none of these is over the third, all through the suite."""
VARIABLE = "REGISTRY_LOGIN"
_ALL = """\
contracts = "../contracts"

[cells.us]
bootstrap_servers = "{servers}"
{cell}
[cells.us.kafka]
security.protocol = "SASL_SSL"
ssl.ca.location = "{authority}"
sasl.mechanisms = "SCRAM-SHA-512"
sasl.username = "{user}"
sasl.password = {{ command = ["cat", "{password}"] }}

[cells.us.schema_registry]
url = "{registry}"
basic.auth.user.info = {{ env = "{variable}" }}
"""
_S3 = """
[cells.us.s3]
endpoint = "{endpoint}"
access_key_id = "{key}"
secret_access_key = {{ file = "{secret}" }}
"""
_REST = """
[cells.us.catalog]
type = "rest"
uri = "{uri}"
warehouse = "{warehouse}"
credential = {{ command = ["cat", "{credential}"] }}
"""
_DAGSTER = """
[dagster]
storage_uri = {{ file = "{storage}" }}
"""


def new_password() -> str:
    """Return one that addresses must quote."""
    return f"c@nary/{secrets.token_hex(8)}"


def write_settings(
    home: Path,
    kind: str,
    canaries: Canaries,
    cluster: Cluster,
    registry: str,
    request: pytest.FixtureRequest,
) -> None:
    """Write `<home>/headwater.toml` for one of `KINDS`; its stores are made, its secrets kept."""
    cell, more = [], []
    if kind != "sqlite+files":
        seaweedfs: SeaweedfsServer = request.getfixturevalue("seaweedfs")
        postgresql: PostgresqlServer = request.getfixturevalue("postgresql")
        names = {name: _database(postgresql, canaries, name) for name in ("state", "dagster")}
        cell.append(f'state_uri = {{ command = ["cat", "{names["state"]}"] }}')
        more.append(_DAGSTER.format(storage=names["dagster"]))
        secret = canaries.keep("s3", seaweedfs.secret)
        more.append(_S3.format(endpoint=seaweedfs.endpoint, key=seaweedfs.key, secret=secret))
        if kind == "rest+s3":
            warehouse = seaweedfs.warehouse()
            rest = seaweedfs.rest(warehouse)
            credential = canaries.keep("credential", seaweedfs.secret, rest["credential"])
            more.append(_REST.format(**{**rest, "credential": credential}))
        else:
            warehouse = f"{seaweedfs.bucket(f'b{uuid4().hex}')}/lake"
            catalog = _database(postgresql, canaries, "catalog")
            cell.append(f'catalog_uri = {{ file = "{catalog}" }}')
        cell.append(f'warehouse = "{warehouse}"')
    text = _ALL.format(
        servers=cluster.servers,
        authority=cluster.authority,
        user=USER,
        password=canaries.folder / "kafka",
        registry=registry,
        variable=VARIABLE,
        cell="".join(f"{line}\n" for line in cell),
    )
    home.mkdir()
    (home / "headwater.toml").write_text(text + "".join(more))


def _database(server: PostgresqlServer, canaries: Canaries, name: str) -> Path:
    role, password = f"{name}_{uuid4().hex}", new_password()
    url = make_url(server.database(role)).set(password=password)
    server.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
    return canaries.keep(name, password, url.render_as_string(hide_password=False))
