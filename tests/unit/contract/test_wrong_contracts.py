"""Every wrong contract has one mistake, at its place and in words that help; none is Spark's to find."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.wrong_contracts import FILES, PAGE, WRONG, Wrong, page, write_right

CHECK = """
import contextlib, io, json, sys
from headwater.cli.main import cli

for contract in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        cli(["contract", "check", contract, "--json"], standalone_mode=False)
    print(json.dumps(json.loads(out.getvalue())))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
"""Checks each contract as the command does, in one process, and tells what it has imported."""
ENGINES = {"pyspark", "py4j", "dagster", "great_expectations", "pandera", "pandas", "pyiceberg"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("wrong")
    found = {one.title: root / str(number) for number, one in enumerate(WRONG)}
    for one in WRONG:
        one.write(found[one.title])
    write_right(root / "right")
    return {**found, "": root / "right"}


@pytest.fixture(scope="module")
def told(folders: dict[str, Path]) -> dict[str, Any]:
    of = {one.title: FILES[one.told_in].partition("/")[0] for one in WRONG}
    contracts = [str(folder / of.get(title, "orders")) for title, folder in folders.items()]
    command = [sys.executable, "-c", CHECK, *contracts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *documents, modules = map(json.loads, done.stdout.splitlines())
    return {**dict(zip(folders, documents, strict=True)), "modules": modules}


def mistakes(document: Any) -> list[dict[str, Any]]:
    return [one for product in document["products"] for one in product["mistakes"]]


def test_titles_are_unique() -> None:
    assert len({one.title for one in WRONG}) == len(WRONG)


def test_what_they_are_made_of_is_right(told: dict[str, Any]) -> None:
    assert mistakes(told[""]) == []


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.title)
def test_a_mistake_is_told_once_at_its_place_and_in_words_that_help(
    wrong: Wrong, told: dict[str, Any], folders: dict[str, Path]
) -> None:
    folder = folders[wrong.title]
    (one,) = mistakes(told[wrong.title])
    line, column = wrong.place(folder)
    assert wrong.says in one["expected"]
    assert (one["file"], one["line"]) == (str(folder / FILES[wrong.told_in]), line)
    assert one["column"] in (0, column)
    assert one["column"] or wrong.told_in in ("csv", "python") or column == 1


def test_none_of_them_reaches_spark(told: dict[str, Any]) -> None:
    assert not ENGINES & {*told["modules"]}


def test_the_page_lists_them() -> None:
    assert PAGE.read_text() == page(), "python -m tests.support.wrong_contracts writes it"
