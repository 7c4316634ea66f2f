"""A secret may stand in a file, in another variable, or in what a command prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cells import Cell, CellInvalidError, load_cell
from pipeline.config.read import read_all
from pipeline.config.reference import SecretUnreadableError

PASSWORD = '[cells.us]\nbootstrap_servers = "k:1"\n[cells.us.kafka]\nsasl.password = '  # noqa: S105 - none is in it


def loaded(home: Path, toml: str) -> Cell:
    (home / "headwater.toml").write_text(toml)
    return load_cell(home, "us")


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush \n")
    cell = loaded(tmp_path, PASSWORD + f'{{ file = "{tmp_path}/password" }}')
    assert cell.kafka["sasl.password"] == "hush "
    assert "hush" not in repr(cell)


def test_a_secret_is_read_from_a_command(tmp_path: Path) -> None:
    cell = loaded(tmp_path, PASSWORD + '{ command = ["printf", "hush\\\\n"] }')
    assert cell.kafka["sasl.password"] == "hush"


def test_a_secret_is_read_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "hush")
    cell = loaded(tmp_path, PASSWORD + '{ env = "KAFKA_PASSWORD" }')
    assert cell.kafka["sasl.password"] == "hush"


def test_whatever_its_setting_is_called_what_is_referred_to_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "catalog").write_text("postgresql://me:hush@db/x")
    at = f'{{ file = "{tmp_path}'
    toml = f'cells.us.bootstrap_servers = "k"\ncells.us.catalog_uri = {at}/catalog" }}\n'
    cell = loaded(tmp_path, toml + f'cells.us.spark."spark.x" = {at}/secret" }}\n')
    assert cell.catalog_uri == "postgresql://me:hush@db/x"
    assert cell.spark["spark.x"] == "hush"
    assert "hush" not in repr(cell)
    assert "postgresql://me:***@db/x" in repr(cell)


def test_variables_and_cell_json_refer_to_secrets_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("hush")
    home = tmp_path / "home"
    path = home / "cells" / "us" / "cell.json"
    path.parent.mkdir(parents=True)
    user = {"basic.auth.user.info": {"file": str(tmp_path / "password")}}
    path.write_text(json.dumps({"bootstrap_servers": "k:1", "schema_registry": user}))
    cell = "HEADWATER_CELLS__US__"
    monkeypatch.setenv(f"{cell}KAFKA__SASL_PASSWORD__FILE", str(tmp_path / "password"))
    monkeypatch.setenv(f"{cell}KAFKA__SSL_KEY_PASSWORD__COMMAND", '["printf", "hush"]')
    monkeypatch.setenv(f"{cell}CATALOG_URI__ENV", "CATALOG")
    monkeypatch.setenv("CATALOG", "sqlite:///x")
    found = load_cell(home, "us")
    assert found.kafka == {"sasl.password": "hush", "ssl.key.password": "hush"}
    assert found.schema_registry == {"basic.auth.user.info": "hush"}
    assert found.catalog_uri == "sqlite:///x"


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ('{ file = "/nowhere/password" }', "file /nowhere/password, which cannot be read"),
        ('{ file = "/dev/null" }', "gives nothing"),
        ('{ env = "NOWHERE_SET" }', "env NOWHERE_SET, which is not set"),
        ('{ command = ["/nowhere/command", "hush"] }', "command /nowhere/command, which cannot"),
        ('{ command = ["sh", "-c", "echo hush; echo hush >&2; exit 7"] }', "which ended with 7"),
        ('{ command = ["printf", "\\\\377"] }', "is not text"),
    ],
)
def test_a_secret_that_is_not_there_is_a_named_error_without_it(
    tmp_path: Path, where: str, why: str
) -> None:
    with pytest.raises(SecretUnreadableError, match=why) as raised:
        loaded(tmp_path, PASSWORD + where)
    assert raised.value.subject == "cells.us.kafka.sasl.password"
    assert raised.value.remedy
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "where",
    ['{ file = "relative" }', "{ file = 3 }", '{ command = "pass show x" }', "{ command = [] }"],
)
def test_a_reference_that_is_none_is_told_as_a_fault(tmp_path: Path, where: str) -> None:
    with pytest.raises(CellInvalidError, match=r"cells\.us\.kafka\.sasl\.password: cannot be used"):
        loaded(tmp_path, PASSWORD + where)


def test_reading_settings_to_show_them_reads_no_secret(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    toml = PASSWORD + f'{{ command = ["touch", "{mark}"] }}'
    (tmp_path / "headwater.toml").write_text(toml)
    reading = read_all({}, tmp_path)
    assert reading.faults == ()
    shown = {".".join(key): str(value) for layer in reading.layers for key, value in layer.leaves()}
    assert shown["cells.us.kafka.sasl.password"] == "*** (command touch)"
    assert not mark.exists()
