"""What pages, docstrings and messages point at is there: files, headings, modules, targets of make."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from pipeline.settings import PROJECT

FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=PROJECT,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
FOLDERS = tuple({file.partition("/")[0] + "/" for file in FILES if "/" in file})
# Decisions and the changelog tell of their own time.
PAGES = [f for f in FILES if f.endswith(".md") and not re.match(r"docs/adr/\d|CHANGELOG", f)]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ +(.*?)(?: *\{.*\})?$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", one)).lower() for one in headings}


@pytest.mark.parametrize("page", [file for file in FILES if file.endswith(".md")])
def test_links_lead_somewhere(page: str) -> None:
    for link in LINK.findall(FENCE.sub("", (PROJECT / page).read_text())):
        target, _, anchor = link.partition("#")
        if ":" in target:
            continue
        file = (PROJECT / page).parent / target if target else PROJECT / page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def exists(path: str) -> bool:
    """Tell whether a tracked file or folder has that path, or, for the bare name of a file, that name."""
    pattern = re.compile(re.escape(path.rstrip("/")).replace(r"\*", "[^/]*") + r"(/.*)?")
    names = FILES if "/" in path else [file.rpartition("/")[2] for file in FILES]
    return any(pattern.fullmatch(name) for name in names)


def is_path(code: str) -> bool:
    in_project = code.startswith(FOLDERS) and code != "headwater/kind"  # a tag
    return bool(re.fullmatch(r"[\w./*-]+", code)) and (in_project or code.endswith(".py"))


@pytest.mark.parametrize("page", PAGES)
def test_paths_in_pages_exist(page: str) -> None:
    cited = filter(is_path, CODE.findall((PROJECT / page).read_text()))
    assert [path for path in cited if not exists(path)] == []


def test_pages_cited_in_code_exist() -> None:
    cited = {
        (file, path)
        for file in FILES
        if file.endswith((".py", ".yaml", ".toml", ".sh"))
        for path in re.findall(r"\bdocs/[\w./-]*\w", (PROJECT / file).read_text())
    }
    decision = re.compile(r"docs/adr/\d{4}$")
    assert {(f, p) for f, p in cited if not exists(p + "-*" if decision.match(p) else p)} == set()


def defines(module: Path, name: str) -> bool:
    body = ast.parse(module.read_text()).body
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return name in names | {target.id for target in targets if isinstance(target, ast.Name)}


def is_importable(dotted: str) -> bool:
    """Tell whether a dotted name is a package, a module, or something that a module defines."""
    path = PROJECT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    return path.parent.with_suffix(".py").exists() and defines(
        path.parent.with_suffix(".py"), path.name
    )


@pytest.mark.parametrize("page", PAGES)
def test_modules_in_pages_exist(page: str) -> None:
    # With one dot `headwater.x` is a property of a table.
    code = re.compile(
        r"(?:(?:assets|pipeline|quality|resources)|headwater\.\w+)(?:\.[A-Za-z_]\w*)+"
    )
    cited = [
        found[0] for one in CODE.findall((PROJECT / page).read_text()) if (found := code.match(one))
    ]
    assert [dotted for dotted in cited if not is_importable(dotted)] == []


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_in_pages_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    cited = set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", (PROJECT / page).read_text(), re.MULTILINE))
    assert cited <= targets
