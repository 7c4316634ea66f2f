"""Of every setting the highest place that says it counts: environment, headwater.toml, cell.json, default."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cells import Cell, embedded_cell, load_cell, save_brokers, save_cell
from pipeline.settings import load_settings

PLAIN = ("bootstrap_servers", "catalog_uri", "warehouse")
KAFKA = ("security.protocol", "sasl.username", "sasl.password")
SAID: dict[tuple[str, ...], st.SearchStrategy[str]] = {
    **{("us", name): st.sampled_from([f"{name}-{n}" for n in range(3)]) for name in PLAIN},
    **{("us", "kafka", name): st.sampled_from(["a", "b", "c"]) for name in KAFKA},
}
LAYER = st.fixed_dictionaries({}, optional=SAID)
Layer = Mapping[tuple[str, ...], str]


def as_toml(layer: Layer) -> str:
    return "".join(f'cells.{".".join(key)} = "{value}"\n' for key, value in layer.items())


def as_json(layer: Layer) -> str:
    document: dict[str, object] = {key[1]: value for key, value in layer.items() if len(key) == 2}
    document["kafka"] = {key[2]: value for key, value in layer.items() if len(key) == 3}
    return json.dumps({"name": "us", **document})


def as_variables(layer: Layer) -> dict[str, str]:
    return {
        "HEADWATER_CELLS__" + "__".join(part.upper().replace(".", "_") for part in key): value
        for key, value in layer.items()
    }


def said(cell: Cell, key: tuple[str, ...]) -> str | None:
    found: str | None = cell.kafka.get(key[2]) if len(key) == 3 else getattr(cell, key[1])
    return found


@given(environment=LAYER, file=LAYER, cell_json=LAYER)
def test_a_cells_setting_is_the_one_of_the_highest_layer_that_says_it(
    environment: Layer, file: Layer, cell_json: Layer
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "cells" / "us" / "cell.json"
        path.parent.mkdir(parents=True)
        path.write_text(as_json(cell_json))
        (home / "headwater.toml").write_text(as_toml(file))
        with patch.dict(os.environ, as_variables(environment)):
            cell = load_cell(home, "us", bootstrap_servers="b:1")
        otherwise = embedded_cell(home, "us", "b:1")
        for key in SAID:
            given_by = next((one for one in (environment, file, cell_json) if key in one), None)
            assert said(cell, key) == (given_by[key] if given_by else said(otherwise, key))


def test_the_platforms_settings_come_from_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "headwater.toml").write_text(
        'contracts = "own"\n[ingest]\nmemory_mb = 512\n[logging]\nlevel = "info"\n'
        '[data_docs]\nurl = "https://docs"\n'
    )
    home = {"HEADWATER_HOME": str(tmp_path)}
    settings = load_settings(home)
    assert settings.contracts == tmp_path / "own"
    assert (settings.ingest_memory_mb, settings.log_level) == (512, "INFO")
    assert settings.data_docs == "https://docs"
    higher = {"HEADWATER_INGEST_MEMORY_MB": "256", "HEADWATER_LOGGING__LEVEL": "ERROR"}
    settings = load_settings(home | higher)
    assert (settings.ingest_memory_mb, settings.log_level) == (256, "ERROR")


def test_without_any_settings_are_as_they_always_were(tmp_path: Path) -> None:
    settings = load_settings({"HEADWATER_HOME": str(tmp_path)})
    assert (settings.ingest_memory_mb, settings.data_docs) == (1024, None)
    assert (settings.log_level, settings.config) == (None, None)


def test_the_file_may_lie_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc" / "headwater.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("ingest.memory_mb = 99\n")
    named = {"HEADWATER_HOME": str(tmp_path), "HEADWATER_CONFIG": str(elsewhere)}
    assert load_settings(named).ingest_memory_mb == 99


def test_a_cell_needs_no_cell_json(tmp_path: Path) -> None:
    (tmp_path / "headwater.toml").write_text('[cells.us]\nbootstrap_servers = "k:9092"\n')
    assert load_cell(tmp_path, "us") == embedded_cell(tmp_path, "us", "k:9092")


def test_state_lies_where_it_is_said_to(tmp_path: Path) -> None:
    save_cell(tmp_path, embedded_cell(tmp_path, "us", "k:9092"))
    (tmp_path / "headwater.toml").write_text('cells.us.state = "/srv/state"\n')
    cell = load_cell(tmp_path, "us")
    assert cell.state_db == Path("/srv/state/state.db")
    assert (cell.registry_db.parent, cell.locks.parent) == (cell.state, cell.state)
    save_cell(tmp_path, cell)
    (tmp_path / "headwater.toml").unlink()
    assert load_cell(tmp_path, "us") == cell


def test_what_other_places_say_is_not_written_to_cell_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_cell(tmp_path, embedded_cell(tmp_path, "us", "k:1"))
    path = tmp_path / "cells" / "us" / "cell.json"
    before = json.loads(path.read_text())
    monkeypatch.setenv("HEADWATER_CELLS__US__KAFKA__SASL_PASSWORD", "hush")
    save_brokers(tmp_path, "us", "k:2")
    assert json.loads(path.read_text()) == {**before, "bootstrap_servers": "k:2"}


def test_variables_reach_names_with_capitals_and_whole_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = "HEADWATER_CELLS__US__"
    monkeypatch.setenv(f"{before}BOOTSTRAP_SERVERS", "k:1")
    monkeypatch.setenv(f"{before}SPARK", '{"spark.driver.memory": "2g", "spark.x": 3}')
    monkeypatch.setenv(f"{before}SPARK__SPARK_DRIVER_MEMORY", "4g")
    monkeypatch.setenv(f"{before}SPARK__spark_driver_bindAddress", "0.0.0.0")  # noqa: S104
    assert load_cell(tmp_path, "us").spark == {
        "spark.driver.memory": "4g",
        "spark.x": 3,
        "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104
    }


def test_toml_needs_no_quotes_around_dotted_names(tmp_path: Path) -> None:
    (tmp_path / "headwater.toml").write_text(
        '[cells.us]\nbootstrap_servers = "k:1"\n'
        '[cells.us.kafka]\nsecurity.protocol = "SSL"\n"ssl.ca.location" = "/ca.pem"\n'
    )
    assert load_cell(tmp_path, "us").kafka == {
        "security.protocol": "SSL",
        "ssl.ca.location": "/ca.pem",
    }
