"""What `import headwater` offers, what type checkers see of it, and what it costs."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

import headwater
from pipeline.settings import PROJECT

IMPORTED = """
import sys
import headwater
dir(headwater)
headwater.__version__
print(*sorted({name.partition(".")[0] for name in sys.modules} - {*sys.stdlib_module_names}))
"""


def seen_by_type_checkers() -> dict[str, str]:
    """Return the names that the module imports for type checkers, and where each comes from."""
    module = ast.parse((PROJECT / "headwater" / "__init__.py").read_text())
    imports = [
        node for node in ast.walk(module) if isinstance(node, ast.ImportFrom) and node.module
    ]
    names = {
        one.asname: node.module for node in imports for one in node.names if one.asname == one.name
    }
    return {name: module for name, module in names.items() if name and module}


def test_what_programs_get_is_what_type_checkers_see() -> None:
    # That each is there, mypy has seen.
    assert seen_by_type_checkers() == headwater._HOMES
    assert {*headwater.__all__} == {*headwater._HOMES, "__version__"}


@pytest.mark.parametrize("name", ["Cell", "HeadwaterError", "load_settings"])
def test_a_name_is_what_its_own_module_defines(name: str) -> None:
    assert getattr(headwater, name) is getattr(sys.modules[headwater._HOMES[name]], name)
    assert headwater.__version__ == version("headwater")


def test_all_names_are_listed_and_no_other_is_found() -> None:
    assert {*headwater.__all__} <= {*dir(headwater)}
    with pytest.raises(AttributeError, match=r"module 'headwater' has no attribute 'carry_out'"):
        headwater.carry_out  # type: ignore[attr-defined] # noqa: B018


def test_the_reference_tells_of_each() -> None:
    page = (PROJECT / "docs" / "reference" / "api.md").read_text()
    told = re.findall(r"^::: headwater\.(\w+)$", page, re.MULTILINE)
    assert sorted([*told, "__version__"]) == sorted(headwater.__all__)


def test_no_name_hides_a_module() -> None:
    assert not {*headwater.__all__} & {one.name for one in pkgutil.iter_modules(headwater.__path__)}


def test_it_imports_nothing_before_a_name_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    found = {name for name in done.stdout.split() if not name.startswith("_")}
    assert found == {"headwater"}


def test_types_are_offered_to_who_imports_the_packages() -> None:
    packages = ("assets", "headwater", "pipeline", "quality", "resources")
    assert all((PROJECT / package / "py.typed").is_file() for package in packages)
