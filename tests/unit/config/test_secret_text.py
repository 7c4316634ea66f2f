"""Secrets are themselves for clients, and masked wherever they are shown."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cells import CellInvalidError, embedded_cell
from pipeline.config.secret_text import SecretText, is_secret, marked, shown, without_login
from pipeline.schemas.open import open_registry

CELL = replace(
    embedded_cell(Path("/data"), "us", "k:1"),
    catalog_uri="postgresql+psycopg2://reader:hush/1@db/iceberg",
    kafka={"sasl.username": "me", "sasl.password": "hush2"},
    schema_registry={"url": "https://me:hush3@registry:8081", "basic.auth.user.info": "me:hush4"},
    spark={"spark.hadoop.fs.s3a.secret.key": "hush5"},
)


def test_no_representation_of_a_cell_or_of_its_settings_has_a_secret() -> None:
    parts = (CELL.kafka, {**CELL.schema_registry}, dict(CELL.spark), [CELL.catalog_uri])
    copies = (copy.deepcopy(CELL), pickle.loads(pickle.dumps(CELL)))  # noqa: S301 - just written
    for one in (CELL, replace(CELL, name="eu"), *parts, *copies):
        assert "hush" not in repr(one)
        assert "***" in repr(one)
    assert "reader:***@db" in repr(CELL)


def test_clients_get_the_secret_itself() -> None:
    assert CELL.kafka["sasl.password"] == "hush2"
    assert CELL.kafka["sasl.password"].encode() == b"hush2"
    assert CELL.catalog_uri == "postgresql+psycopg2://reader:hush/1@db/iceberg"


@pytest.mark.parametrize(
    "name",
    [
        "sasl.password",
        "sasl_plain_password",
        "ssl.key.password",
        "ssl.key.pem",
        "basic.auth.user.info",
        "bearer.auth.client.secret",
        "sasl.jaas.config",
        "spark.hadoop.fs.s3a.access.key",
        "spark.sql.catalog.us.s3.secret-access-key",
        "spark.sql.catalog.us.jdbc.password",
    ],
)
def test_a_secret_is_told_by_its_name(name: str) -> None:
    assert is_secret(name)
    assert shown(marked(name, "hush")) == "***"


@pytest.mark.parametrize(
    "name",
    [
        "sasl.username",
        "ssl.key.location",
        "security.protocol",
        "spark.master",
        "url",
        "bearer.auth.credentials.source",
        "sasl.oauthbearer.token.endpoint.url",
    ],
)
def test_other_settings_are_shown(name: str) -> None:
    assert not is_secret(name)
    assert shown(marked(name, "value")) == "value"


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("https://me:hush@a:1,https://me:hush@b:1", "https://me:***@b:1"),
        ("postgresql://db/x?user=me&password=hush", "postgresql://db/x?user=me&password=***"),
        ("postgresql://me@db/x", "postgresql://me@db/x"),
        ("file:///data/warehouse", "file:///data/warehouse"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, seen: str) -> None:
    assert without_login(address) == seen


def test_what_a_library_says_is_told_without_the_secrets() -> None:
    cell = replace(CELL, schema_registry={"url": "ftp://me:hush3@registry"})
    with pytest.raises(CellInvalidError, match="Invalid url") as raised:
        open_registry(cell)
    assert "hush" not in str(raised.value)
    assert isinstance(CELL.kafka["sasl.password"], SecretText)
