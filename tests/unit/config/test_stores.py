"""`s3`, `catalog` and `openlineage` of a cell: names, values and secrets, from files and variables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.catalogs import rest, s3
from pipeline.cells import Cell, CellInvalidError, embedded_cell, load_cell, save_cell
from pipeline.lineage.collector import collector_of

TOML = """
[cells.us]
bootstrap_servers = "k:1"
warehouse = "s3://lake/us"

[cells.us.s3]
endpoint = "http://store:8333"
access_key_id = "AKIA"
secret_access_key = {{ file = "{folder}/secret" }}
path_style = false

[cells.us.catalog]
type = "rest"
uri = "http://catalog:8181/"
warehouse = "lake"
credential = {{ file = "{folder}/secret" }}
scope = "PRINCIPAL_ROLE:ALL"
"""


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "headwater.toml").write_text(TOML.format(folder=tmp_path))
    return load_cell(tmp_path, "us")


def test_both_clients_are_told_the_same_of_the_store(cell: Cell) -> None:
    ours, theirs = s3.for_pyiceberg(cell), s3.for_spark(cell)
    for name in ("s3.endpoint", "s3.access-key-id", "s3.secret-access-key"):
        assert ours[name] == theirs[name]
    assert ours["s3.secret-access-key"] == "hush"
    assert (ours["s3.region"], theirs["client.region"]) == ("us-east-1", "us-east-1")
    assert ours["s3.force-virtual-addressing"] == "true"
    assert theirs["s3.path-style-access"] == "false"


def test_a_catalog_of_rest_is_told_where_tokens_are_given_out(cell: Cell) -> None:
    assert rest.is_rest(cell)
    assert rest.properties(cell) == {
        "uri": "http://catalog:8181/",
        "warehouse": "lake",
        "credential": "hush",
        "scope": "PRINCIPAL_ROLE:ALL",
        "oauth2-server-uri": "http://catalog:8181/v1/oauth/tokens",
    }


def test_no_secret_is_shown(cell: Cell) -> None:
    assert "hush" not in repr(cell)
    assert "AKIA" not in repr(cell)
    assert "hush" not in repr([s3.for_spark(cell), rest.for_spark(cell)])


def test_a_cell_with_both_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    cell = replace(
        embedded_cell(tmp_path, "us", "b:9092"),
        warehouse="s3://lake",
        s3={"region": "eu-central-1"},
        catalog={"type": "rest", "uri": "http://c", "rest.sigv4-enabled": True},
    )
    save_cell(tmp_path, cell)
    assert load_cell(tmp_path, "us") == cell


def test_variables_say_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("hush")
    for name, value in {
        "BOOTSTRAP_SERVERS": "k:1",
        "WAREHOUSE": "s3://lake",
        "S3__REGION": "eu-central-1",
        "S3__ACCESS_KEY_ID": "AKIA",
        "S3__SECRET_ACCESS_KEY__FILE": str(tmp_path / "secret"),
        "CATALOG__URI": "http://catalog:8181",
        "CATALOG__OAUTH2_SERVER_URI": "https://login/tokens",
    }.items():
        monkeypatch.setenv(f"HEADWATER_CELLS__US__{name}", value)
    cell = load_cell(tmp_path, "us")
    assert cell.s3 == {
        "region": "eu-central-1",
        "access_key_id": "AKIA",
        "secret_access_key": "hush",
    }
    assert cell.catalog == {
        "uri": "http://catalog:8181",
        "oauth2-server-uri": "https://login/tokens",
    }


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('s3 = { endpont = "http://store" }', r"s3\.endpont"),
        ('s3 = { endpoint = "store:8333" }', "does not begin with http"),
        ('s3 = { path_style = "perhaps" }', "neither true nor false"),
        ('s3 = { region = "" }', "region is not text"),
        ('catalog = { uri = ["a"] }', "uri is neither text"),
        ('openlineage = { transport = "ftp" }', "transport is none of file, http, kafka"),
        ('openlineage = { url = "marquez:5000" }', "does not begin with http"),
        ("openlineage = { time_out = 2 }", "no setting time_out; did you mean timeout_s"),
        ("openlineage = { queue_mb = 0 }", "queue_mb is not a number above 0"),
    ],
)
def test_what_cannot_be_used_names_the_setting(tmp_path: Path, table: str, words: str) -> None:
    toml = f'[cells.us]\nbootstrap_servers = "k:1"\n{table}\n'
    (tmp_path / "headwater.toml").write_text(toml)
    with pytest.raises(CellInvalidError, match=words):
        load_cell(tmp_path, "us")


def test_a_collector_of_lineage_is_said_by_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("hush")
    for name, value in {
        "BOOTSTRAP_SERVERS": "k:1",
        "OPENLINEAGE__TRANSPORT": "kafka",
        "OPENLINEAGE__TIMEOUT_S": "2",
        "OPENLINEAGE__API_KEY__FILE": str(tmp_path / "key"),
        "OPENLINEAGE__KAFKA__BOOTSTRAP_SERVERS": "lineage:9092",
        "OPENLINEAGE__KAFKA__SASL_PASSWORD": "hush",
    }.items():
        monkeypatch.setenv(f"HEADWATER_CELLS__US__{name}", value)
    cell = load_cell(tmp_path, "us")
    collector = collector_of(cell)
    assert collector is not None
    assert (collector.timeout_s, collector.max_age) == (2.0, timedelta(hours=72))
    assert collector.address == "kafka://lineage:9092/openlineage"
    assert collector.cluster.kafka == {"sasl.password": "hush"}
    assert "hush" not in repr((cell, collector))
    save_cell(tmp_path, cell)
    assert load_cell(tmp_path, "us") == cell


def test_a_collector_on_the_cells_own_brokers_logs_in_as_the_cell_does(tmp_path: Path) -> None:
    own = embedded_cell(tmp_path, "us", "b:9092")
    assert collector_of(own) is None
    cell = replace(own, kafka={"sasl.username": "me"}, openlineage={"transport": "kafka"})
    collector = collector_of(cell)
    assert collector is not None
    assert (collector.cluster.bootstrap_servers, collector.cluster.kafka) == ("b:9092", cell.kafka)
