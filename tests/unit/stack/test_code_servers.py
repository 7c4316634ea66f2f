"""A workspace file becomes one of code servers that the stack starts; what is not the stack's stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headwater.stack.code_servers.workspace import Location, WorkspaceInvalidError, read_workspace
from headwater.stack.defaults import WORKSPACE
from headwater.stack.ports import Address
from pipeline.settings import PROJECT


def written(folder: Path, text: str) -> Path:
    path = folder / "workspace.yaml"
    path.write_text(text)
    return path


def test_the_projects_workspace_is_one_server_a_cell() -> None:
    workspace = read_workspace(WORKSPACE)
    found_where_it_is = ("-d", str(PROJECT))
    arguments = ("-m", "assets.cells.us", "-a", "defs", *found_where_it_is)
    assert workspace.locations == (Location("us", arguments),)
    assert yaml.safe_load(workspace.served({"us": Address("127.0.0.1", 4000)})) == {
        "load_from": [
            {"grpc_server": {"host": "127.0.0.1", "port": 4000, "location_name": "us"}},
        ]
    }


@pytest.mark.parametrize(
    ("entry", "name", "arguments"),
    [
        ("python_module: a.b", "a.b", ("-m", "a.b")),
        ("python_module: {module_name: a.b, location_name: c}", "c", ("-m", "a.b")),
        (
            "python_module: {module_name: a, attribute: defs, working_directory: /w}",
            "a",
            ("-m", "a", "-a", "defs", "-d", "/w"),
        ),
        ("python_file: {relative_path: code/defs.py}", "defs.py", ("-f", "{folder}/code/defs.py")),
        ("python_file: /abs/defs.py", "defs.py", ("-f", "/abs/defs.py")),
    ],
)
def test_a_location_is_served_as_its_entry_says(
    tmp_path: Path, entry: str, name: str, arguments: tuple[str, ...]
) -> None:
    found = read_workspace(written(tmp_path, f"load_from:\n  - {entry}\n")).locations
    expected = tuple(one.format(folder=tmp_path) for one in arguments)
    assert found == (Location(name, expected),)


def test_what_somebody_else_serves_is_left_as_it_is(tmp_path: Path) -> None:
    text = "load_from:\n  - grpc_server: {host: elsewhere, port: 4266, location_name: theirs}\n"
    workspace = read_workspace(written(tmp_path, text))
    assert workspace.locations == ()
    assert yaml.safe_load(workspace.served({})) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "load_from: 3",
        "load_from: [python_module]",
        "load_from: [{python_module: {}}]",
        "\t",
    ],
)
def test_what_is_no_workspace_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(WorkspaceInvalidError, match=r"workspace\.yaml: it is no workspace"):
        read_workspace(written(tmp_path, text))


def test_two_locations_of_one_name_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "load_from:\n  - python_module: a\n  - python_module: a\n")
    with pytest.raises(WorkspaceInvalidError, match="two of its locations are called a"):
        read_workspace(path)
