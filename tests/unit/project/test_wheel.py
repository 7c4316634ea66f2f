"""The wheel holds the packages, whatever they read, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings import PROJECT
from tests.support.wheel import PACKAGES, run_python, unpacked_wheel

pytestmark = pytest.mark.slow

READ = """
from headwater.stack.defaults import WORKSPACE
from headwater.stack.dagster import instance
from pipeline.jars import locked_jars
from pipeline.settings import load_settings

assert locked_jars("kafka") and locked_jars("spark")
assert instance.INSTANCE.is_file() and WORKSPACE.is_file()
print(instance.__file__, load_settings().home)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is in the wheel."""
    return unpacked_wheel(tmp_path_factory.mktemp("wheel"))


def test_every_file_of_the_packages_is_in_it(wheel: Path) -> None:
    def files(folder: Path) -> set[str]:
        found = (path for package in PACKAGES for path in (folder / package).rglob("*"))
        return {
            str(path.relative_to(folder))
            for path in found
            if path.is_file() and "__pycache__" not in path.parts
        }

    assert files(wheel) == files(PROJECT)


def test_nothing_else_is_in_it_but_its_metadata(wheel: Path) -> None:
    (metadata,) = wheel.glob("*.dist-info")
    assert {path.name for path in wheel.iterdir()} == {*PACKAGES, metadata.name}
    assert (metadata / "licenses" / "LICENSE").is_file()


def test_what_is_installed_finds_its_files_and_works_where_it_is_called(
    wheel: Path, tmp_path: Path
) -> None:
    module, home = run_python(READ, cwd=tmp_path, path=wheel).split()
    assert Path(module).is_relative_to(wheel)
    assert Path(home) == tmp_path / ".headwater"
