"""Where Dagster's storage is: a setting of the platform that may refer to a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.cli.config.clients import platform_faults
from headwater.cli.config.listing import list_settings
from headwater.stack.dagster.storage import StorageNotSupportedError, storage_uri
from pipeline.config.reference import SecretUnreadableError
from pipeline.settings import (
    SettingInvalidError,
    all_settings,
    dagster_storage_uri,
    load_settings,
)

URI = "postgresql://me:hush@db:5432/dagster"
VARIABLE = "HEADWATER_DAGSTER__STORAGE_URI"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, value: str) -> Path:
    (home / "headwater.toml").write_text(f"[dagster]\nstorage_uri = {value}\n")
    return home


def test_it_is_sqlite_where_nothing_is_said(home: Path) -> None:
    assert dagster_storage_uri(home) is None
    assert storage_uri(home) is None


def test_it_is_said_in_the_file_and_by_a_variable_and_is_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dagster_storage_uri(write(home, f'"{URI}"')) == URI
    assert "hush" not in repr(dagster_storage_uri(home))
    monkeypatch.setenv(VARIABLE, URI.replace("me", "you"))
    assert dagster_storage_uri(home) == URI.replace("me", "you")
    listed = {one.name: one for one in list_settings(all_settings(), load_settings())}
    assert listed["dagster.storage_uri"].value == "postgresql://you:***@db:5432/dagster"


@pytest.mark.parametrize("kind", ["file", "command", "env"])
def test_it_may_stand_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (home / "secret").write_text(f"{URI}\n")
    monkeypatch.setenv("SECRET", URI)
    toml, variable = {
        "file": (f'"{home}/secret"', f"{home}/secret"),
        "command": (f'["cat", "{home}/secret"]', f'["cat", "{home}/secret"]'),
        "env": ('"SECRET"', "SECRET"),
    }[kind]
    assert dagster_storage_uri(write(home, f"{{ {kind} = {toml} }}")) == URI
    (home / "headwater.toml").unlink()
    monkeypatch.setenv(f"{VARIABLE}__{kind.upper()}", variable)
    assert dagster_storage_uri(home) == URI


def test_a_secret_that_is_not_there_is_told_when_it_is_needed_and_when_settings_are_checked(
    home: Path,
) -> None:
    write(home, '{ file = "/nowhere/uri" }')
    assert load_settings().home == home
    with pytest.raises(SecretUnreadableError, match=r"dagster\.storage_uri: .*/nowhere/uri"):
        storage_uri(home)
    listed = {one.key: one for one in list_settings(all_settings(), load_settings())}
    (fault,) = platform_faults(home, listed)
    assert (fault.where, fault.key) == (str(home / "headwater.toml"), "dagster.storage_uri")


def test_a_reference_that_is_none_is_a_fault(home: Path) -> None:
    write(home, '{ file = "relative" }')
    with pytest.raises(SettingInvalidError, match=r"dagster\.storage_uri cannot be used"):
        load_settings()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("mysql://db/dagster", "it is of mysql, for which there is no support"),
        ("sqlite:////srv/dagster", "it is of sqlite"),
        ("postgresql:///dagster", "it names no host, or no database"),
        ("hush", "it is no address of a database"),
    ],
)
def test_what_is_no_address_of_postgresql_is_refused_by_name(
    home: Path, value: str, why: str
) -> None:
    with pytest.raises(StorageNotSupportedError, match=why) as raised:
        storage_uri(write(home, f'"{value}"'))
    assert "hush" not in str(raised.value)


def test_a_library_that_is_not_installed_is_told_with_its_extra(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, f'"{URI}"')
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StorageNotSupportedError, match=r"headwater\[dagster-postgresql\]"):
        storage_uri(home)


def test_dagsters_driver_is_given_what_the_address_says_and_the_defaults_of_ours(
    home: Path,
) -> None:
    write(home, f'"{URI}?sslmode=verify-full&options=-c%20search_path%3Dapart"')
    uri = storage_uri(home)
    assert uri is not None
    assert uri.startswith("postgresql+psycopg2://me:hush@db:5432/dagster?")
    assert "sslmode=verify-full" in uri
    assert "connect_timeout=5" in uri
    assert "options=-c+search_path%3Dapart+-c+timezone%3DUTC" in uri
    assert "hush" not in repr(uri)
