"""What the code version tells apart: what can change a result, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path

import pytest

from pipeline.code_version import HOME, ROOMS, code_version

CODE = '''"""A module."""

LIMIT = 3


def total(values: list[int]) -> int:
    """Return their sum."""
    # The first few.
    return sum(values[:LIMIT])
'''


FILES = {
    "pipeline/rows/sums.py": CODE,
    "pipeline/jars.lock": "iceberg 1\n",
    "quality/audit.py": CODE,
    "headwater/cli.py": CODE,
    "contracts/orders/contract.yaml": "version: 1\n",
}

Version = Callable[..., str]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """Return the version of a small platform whose files are FILES but for those given."""
    numbers = itertools.count()

    def made(**changes: str) -> str:
        home = tmp_path / str(next(numbers))
        for name, text in {**FILES, **changes}.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return code_version(home / "contracts" / "orders", home)

    return made


@pytest.mark.parametrize("room", ["pipeline/rows/sums.py", "quality/audit.py"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # The first few.\n", ""),
        ("# The first", "# Only the first"),
        ('"""Return their sum."""', '"""Return what they come to."""'),
        ('    """Return their sum."""\n', ""),
        ('"""A module."""', '"""Sums."""\n\n'),
        ("sum(values[:LIMIT])", "sum(\n        values[:LIMIT],\n    )"),
    ],
)
def test_comments_docstrings_and_layout_change_nothing(
    version: Version, room: str, old: str, new: str
) -> None:
    assert old in CODE
    assert version(**{room: CODE.replace(old, new)}) == version()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pipeline/rows/sums.py", CODE.replace("LIMIT = 3", "LIMIT = 4")),
        ("quality/audit.py", CODE.replace("LIMIT = 3", "LIMIT = 4")),
        ("quality/audit.py", CODE.replace('"""Return their sum."""', "values.sort()")),
        ("pipeline/rows/more.py", ""),
        ("pipeline/rows/sums.py", "def half("),
        ("pipeline/jars.lock", "iceberg 2\n"),
        ("contracts/orders/contract.yaml", "version: 2\n"),
        ("contracts/orders/build.sql", "SELECT 1"),
    ],
)
def test_it_changes_with_what_can_change_a_result(version: Version, file: str, text: str) -> None:
    before = version()
    assert version(**{file: text}) != before


@pytest.mark.parametrize(
    "file",
    [
        "headwater/cli.py",
        "pipeline/__pycache__/a.pyc",
        "pipeline/__pycache__/native-1/avro/a.nbi",
        "contracts/orders/__pycache__/a.pyc",
    ],
)
def test_it_changes_with_neither_commands_nor_what_is_compiled(version: Version, file: str) -> None:
    assert version(**{file: ""}) == version()


def test_it_changes_with_the_libraries_that_are_installed(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version()
    monkeypatch.setattr(
        "pipeline.code_version.version", lambda name: installed(name) + ".1" * (name == "polars")
    )
    assert version() != before


def test_both_rooms_are_there() -> None:
    assert all((HOME / room / "__init__.py").is_file() for room in ROOMS)


def test_code_that_has_not_changed_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_version(HOME / "contracts" / "departures")
    monkeypatch.setattr("ast.parse", None)
    assert code_version(HOME / "contracts" / "departures") == before
