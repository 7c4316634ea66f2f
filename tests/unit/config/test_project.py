"""A project is the nearest folder with a headwater.toml; what it holds is used from any folder of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.project import SOURCE, find_project
from pipeline.settings import all_settings, load_settings


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, in a folder of which this process works."""
    folder = tmp_path / "shop"
    inside = folder / "contracts" / "orders"
    inside.mkdir(parents=True)
    (folder / "headwater.toml").write_text("ingest.memory_mb = 99\n")
    monkeypatch.chdir(inside)
    for name in ("HEADWATER_HOME", "HEADWATER_CONTRACTS", "HEADWATER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_settings_contracts_and_home_are_the_projects(shop: Path) -> None:
    settings = load_settings()
    assert (settings.project, settings.home) == (shop, shop / ".headwater")
    assert settings.contracts == shop / "contracts"
    assert (settings.ingest_memory_mb, settings.config) == (99, shop / "headwater.toml")


def test_a_home_that_has_settings_is_no_project(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shop / ".headwater"
    (home / "cells" / "us").mkdir(parents=True)
    (home / "headwater.toml").write_text("ingest.memory_mb = 70\n")
    monkeypatch.chdir(home / "cells")
    assert find_project() == shop


def test_the_homes_file_wins_and_the_other_is_told_to_be_idle(shop: Path) -> None:
    (shop / ".headwater").mkdir()
    (shop / ".headwater" / "headwater.toml").write_text("ingest.memory_mb = 70\n")
    settings = load_settings()
    assert (settings.ingest_memory_mb, settings.config) == (70, None)
    (fault,) = all_settings().faults
    assert fault.harmless
    assert fault.where == str(shop / "headwater.toml")
    assert str(shop / ".headwater" / "headwater.toml") in fault.what


def test_without_one_the_checkout_is_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_project() == SOURCE


def test_a_process_whose_folder_is_gone_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert find_project() == SOURCE
