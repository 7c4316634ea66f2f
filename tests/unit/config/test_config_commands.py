"""`headwater config` as users run it: what is set, where it comes from, what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cells import embedded_cell, save_cell

TOML = """\
[ingest]
memory_mb = 512
[cells.us]
catalog_uri = "postgresql+psycopg2://reader:hush1@db/iceberg"
[cells.us.kafka]
security.protocol = "SASL_SSL"
sasl.password = "hush2"
"""
VARIABLES = {"HEADWATER_CELLS__US__KAFKA__SASL_USERNAME": "me", "HEADWATER_LOGGING__LEVEL": "INFO"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    registry = {"url": "https://me:hush3@registry:8081"}
    save_cell(tmp_path, replace(embedded_cell(tmp_path, "us", "k:1"), schema_registry=registry))
    (tmp_path / "headwater.toml").write_text(TOML)
    return tmp_path


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headwater.cli.main", "config", *arguments],
        env={**os.environ, "HEADWATER_HOME": str(home), **VARIABLES, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_setting_is_shown_with_its_place_and_no_secret(home: Path) -> None:
    shown = run(home, "show", "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    found: dict[str, Any] = {one["name"]: one for one in json.loads(shown.stdout)["settings"]}
    values = {name: (one["value"], one["from"]) for name, one in found.items()}
    assert values["ingest.memory_mb"] == ("512", "headwater.toml")
    assert values["logging.level"] == ("INFO", "environment")
    assert values["data_docs.url"] == (None, "default")
    assert values["cells.us.bootstrap_servers"] == ("k:1", "cell.json")
    assert values["cells.us.state"] == (str(home / "cells" / "us"), "default")
    assert values["cells.us.kafka.sasl.username"] == ("me", "environment")
    assert values["cells.us.kafka.sasl.password"] == ("***", "headwater.toml")
    assert values["cells.us.catalog_uri"][0] == "postgresql+psycopg2://reader:***@db/iceberg"
    assert values["cells.us.schema_registry.url"][0] == "https://me:***@registry:8081"
    assert found["ingest.memory_mb"]["where"] == str(home / "headwater.toml")
    assert found["logging.level"]["where"] == "HEADWATER_LOGGING__LEVEL"
    people = run(home, "show").stdout
    assert all(name in people for name in found)
    assert "hush" not in people + shown.stdout


def test_settings_that_are_well_are_told_as_such(home: Path) -> None:
    done = run(home, "check")
    assert (done.returncode, done.stdout) == (0, "0 faults\n"), done.stdout


def test_all_faults_are_told_at_once_with_place_and_remedy(home: Path) -> None:
    (home / "headwater.toml").write_text(TOML + "[cells.us.sprak]\n[ingset]\n")
    done = run(home, "check", "--json", HEADWATER_INGEST_MEMORY_MB="5", HEADWATER_INGEST="x")
    assert done.returncode == 1
    found = {one["key"]: one for one in json.loads(done.stdout)["faults"]}
    assert {*found} == {
        "HEADWATER_INGEST",
        "HEADWATER_INGEST_MEMORY_MB",
        "cells.us.sprak",
        "ingset",
    }
    assert found["cells.us.sprak"]["remedy"] == "Did you mean `spark`?"
    assert found["HEADWATER_INGEST"]["harmless"]
    assert "hush" not in done.stdout
    refused = run(home, "show")
    assert refused.returncode == 3
    assert "Traceback" not in refused.stderr


def test_what_clients_would_refuse_is_told_by_its_place(home: Path) -> None:
    more = 'sasl.pasword = "hush"\n[cells.us.spark]\nspark.wap.id = "x"\n'
    (home / "headwater.toml").write_text(TOML + more)
    wrong = {"HEADWATER_CELLS__US__KAFKA__REQUEST_TIMEOUT_MS": "soon"}
    done = run(home, "check", HEADWATER_CELLS__US__CATALOG_URI="no address", **wrong)
    assert done.returncode == 1
    assert "Did you mean `sasl.password`?" in done.stdout
    told = f"{home / 'headwater.toml'}: cells.us."
    assert f"{told}kafka.sasl.pasword" in done.stdout
    assert f"{told}spark.spark.wap.id" in done.stdout
    assert "environment: HEADWATER_CELLS__US__CATALOG_URI" in done.stdout
    assert "environment: HEADWATER_CELLS__US__KAFKA__REQUEST_TIMEOUT_MS" in done.stdout
    assert "4 faults" in done.stdout
    assert "hush" not in done.stdout


def test_secrets_are_read_where_they_are_checked_and_not_where_they_are_shown(home: Path) -> None:
    toml = TOML.replace('"hush2"', f'{{ file = "{home}/password" }}')
    more = 'ssl.key.password = { command = ["sh", "-c", "echo hush4; exit 3"] }\n'
    (home / "headwater.toml").write_text(toml + more)
    done = run(home, "check")
    assert done.returncode == 1
    told = f"{home / 'headwater.toml'}: cells.us.kafka."
    assert f"{told}sasl.password: its secret is in file {home}/password" in done.stdout
    assert f"{told}ssl.key.password: its secret is in command sh, which ended with 3" in done.stdout
    shown = run(home, "show")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"*** (file {home}/password)" in shown.stdout
    assert "hush4" not in done.stdout + shown.stdout


@pytest.mark.parametrize("address", ["mysql://me:hush5@db/x", "sqlite://", "postgresql:///x"])
def test_a_catalog_that_cannot_be_kept_there_is_a_fault(home: Path, address: str) -> None:
    done = run(home, "check", HEADWATER_CELLS__US__CATALOG_URI=address)
    assert done.returncode == 1
    assert "environment: HEADWATER_CELLS__US__CATALOG_URI" in done.stdout
    assert "hush" not in done.stdout
