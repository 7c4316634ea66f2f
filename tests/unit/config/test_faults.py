"""What is wrong with a setting is told by its place, its name there, and what to do; never by its value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline.cells import CellInvalidError, CellNotFoundError, embedded_cell, load_cell, save_cell
from pipeline.config.layer import Fault
from pipeline.config.read import read_all
from pipeline.settings import SettingInvalidError, load_settings


def faults(home: Path, toml: str = "", environment: Mapping[str, str] | None = None) -> list[Fault]:
    (home / "headwater.toml").write_text(toml)
    return list(read_all(environment or {}, home).faults)


def test_an_unknown_key_is_told_with_the_nearest_known_one(tmp_path: Path) -> None:
    toml = '[ingset]\nx = 1\n[cells.us]\ncatalogue_uri = "x"\n[ingest]\nmemory = 100\n'
    found = {fault.key: fault for fault in faults(tmp_path, toml)}
    assert {*found} == {"ingset", "cells.us.catalogue_uri", "ingest.memory"}
    assert found["ingset"].remedy == "Did you mean `ingest`?"
    assert found["cells.us.catalogue_uri"].remedy == "Did you mean `catalog_uri`?"
    assert found["ingest.memory"].remedy == "Did you mean `memory_mb`?"
    assert {fault.where for fault in found.values()} == {str(tmp_path / "headwater.toml")}


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ("[ingest]\nmemory_mb = 5", "ingest.memory_mb"),
        ('[ingest]\nmemory_mb = "plenty"', "ingest.memory_mb"),
        ('[logging]\nlevel = "loud"', "logging.level"),
        ("ingest = 3", "ingest"),
        ("cells = 3", "cells"),
        ("cells.us = 3", "cells.us"),
        ("cells.us.kafka = 3", "cells.us.kafka"),
        ('cells.us.state = "relative"', "cells.us.state"),
        ("cells.us.warehouse = 3", "cells.us.warehouse"),
        ('cells."US!".warehouse = "x"', "cells.US!"),
        ("[cells", ""),
    ],
)
def test_a_value_of_the_wrong_type_is_told_by_its_key(tmp_path: Path, toml: str, key: str) -> None:
    assert [fault.key for fault in faults(tmp_path, toml)] == [key]


def test_what_is_wrong_in_the_environment_is_told_by_the_variable(tmp_path: Path) -> None:
    environment = {
        "HEADWATER_INGEST_MEMORY_MB": "5",
        "HEADWATER_CELLS__US__WAREHUSE": "x",
        "HEADWATER_CELLS__US__KAFKA": "security.protocol=SSL",
        "HEADWATER_INGEST_MEMORY": "512",
    }
    found = {fault.key: fault for fault in faults(tmp_path, "", environment)}
    assert {*found} == {*environment}
    assert found["HEADWATER_CELLS__US__WAREHUSE"].remedy == "Did you mean `warehouse`?"
    assert found["HEADWATER_INGEST_MEMORY"].remedy == "Did you mean HEADWATER_INGEST_MEMORY_MB?"
    assert [key for key, fault in found.items() if fault.harmless] == ["HEADWATER_INGEST_MEMORY"]


def test_all_places_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "cells" / "eu").mkdir(parents=True)
    (tmp_path / "cells" / "eu" / "cell.json").write_text('{"name": "us", "sparks": {}}')
    found = faults(tmp_path, "nothing = 1", {"HEADWATER_LOGGING__LEVEL": "loud"})
    assert [fault.key for fault in found] == [
        "name",
        "HEADWATER_LOGGING__LEVEL",
        "nothing",
        "sparks",
    ]


def test_a_setting_that_cannot_be_used_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "headwater.toml").write_text("ingest.memory_mb = 5\nnothing = 1\n")
    with pytest.raises(
        SettingInvalidError, match=r"headwater\.toml: .*memory_mb.*1 more.*config check"
    ):
        load_settings({"HEADWATER_HOME": str(tmp_path)})


def test_a_file_that_is_named_and_not_there_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalidError, match=r"HEADWATER_CONFIG names .*/none\.toml"):
        load_settings({"HEADWATER_HOME": str(tmp_path), "HEADWATER_CONFIG": "none.toml"})


def test_a_cell_is_not_kept_by_the_faults_of_another_nor_the_platform_by_a_cells(
    tmp_path: Path,
) -> None:
    save_cell(tmp_path, embedded_cell(tmp_path, "us", "k:1"))
    (tmp_path / "headwater.toml").write_text("cells.eu.nothing = 1\n")
    with patch.dict(os.environ, {"HEADWATER_CELLS__EU__KAFKA": "{"}):
        assert load_cell(tmp_path, "us").bootstrap_servers == "k:1"
        with pytest.raises(CellInvalidError, match=r"cells\.eu\.nothing.*"):
            load_cell(tmp_path, "eu")
        load_settings({"HEADWATER_HOME": str(tmp_path), **os.environ})


def test_a_cell_that_no_layer_names_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CellNotFoundError, match="headwater up --cell us"):
        load_cell(tmp_path, "us")


def test_a_cell_whose_brokers_nobody_names_is_told(tmp_path: Path) -> None:
    (tmp_path / "headwater.toml").write_text('cells.us.warehouse = "file:///w"\n')
    with pytest.raises(CellInvalidError, match="bootstrap_servers"):
        load_cell(tmp_path, "us")


@pytest.mark.parametrize(
    "toml",
    [
        'cells.us.kafka = "hush-hush"',
        'cells.us.state = "hush-hush"',
        '[cells.us]\ncatalog_uri = ["hush-hush"]',
        '[cells.us.kafka]\nsasl.password = "hush-hush" x',
    ],
)
def test_no_fault_tells_a_value(tmp_path: Path, toml: str) -> None:
    found = faults(tmp_path, toml)
    assert found
    assert "hush-hush" not in str(found)
