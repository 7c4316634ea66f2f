"""Pinned jars: what is missing, damaged or wrong is named, and never used."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from headwater.stack import jars as fetching
from headwater.stack.jars import WrongHashError, ensure_jars
from pipeline.jars import BROKER, Jar, JarMissingError, installed_jars, lock_sets, locked_jars
from pipeline.settings import load_settings


def quiet(line: str) -> None:
    del line


@pytest.mark.parametrize("name", ["kafka", "spark", "comet"])
def test_every_jar_is_pinned_by_hash_and_by_no_address(name: str) -> None:
    jars = locked_jars(name)
    assert jars
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert all("/" not in jar.coordinates for jar in jars)


def test_a_jar_that_was_never_fetched_is_named_with_the_command_that_fetches_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(JarMissingError, match=r"hadoop-bare-naked-local-fs.*headwater up"):
        installed_jars(tmp_path, "spark")


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, spark_jars: tuple[Path, ...]) -> None:
    shutil.copytree(load_settings().cache / "jars", tmp_path / "jars")
    (damaged,) = (path for path in ensure_jars(tmp_path, "spark", quiet) if "jdbc" in path.name)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:1000])
    said: list[str] = []
    ensure_jars(tmp_path, "spark", said.append)
    assert damaged.read_bytes() == whole
    assert said[0] == "fetching 1 jars for spark ..."


def test_jars_that_are_there_are_only_looked_at(
    tmp_path: Path, spark_jars: tuple[Path, ...]
) -> None:
    """So that the cache may be an image's, which nobody can write to."""
    shutil.copytree(load_settings().cache / "jars", tmp_path / "jars")
    assert ensure_jars(tmp_path, "spark", quiet) == installed_jars(tmp_path, "spark")
    assert [path.name for path in tmp_path.iterdir()] == ["jars"]


def test_the_sets_are_those_of_the_lock() -> None:
    assert set(lock_sets()) == {"comet", BROKER, "postgresql", "s3", "spark"}


@pytest.mark.java
def test_a_jar_of_another_hash_is_refused_and_never_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Jar("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3", "0" * 64)
    monkeypatch.setattr(fetching, "locked_jars", lambda _name, _lock: (wrong,))
    with pytest.raises(WrongHashError, match=r"log4j-slf4j-impl:2\.24\.3.*0{64} is pinned"):
        ensure_jars(tmp_path, "any", quiet)
    assert not wrong.path(tmp_path).exists()
