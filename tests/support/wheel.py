"""The wheel, built from this checkout and unpacked: what a user has, without its dependencies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

from pipeline.settings import PROJECT

METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text())
PACKAGES = [
    pattern.rstrip("*") for pattern in METADATA["tool"]["setuptools"]["packages"]["find"]["include"]
]
_BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def unpacked_wheel(folder: Path) -> Path:
    """Build the wheel in `folder`, and return the folder that it is unpacked in."""
    source = folder / "source"
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / package, source / package, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    run_python(_BUILD, str(folder), cwd=source)
    (built,) = folder.glob("*.whl")
    with ZipFile(built) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def outside_environment(path: Path | None = None) -> dict[str, str]:
    """Return this process's variables without any of Headwater's, with `path` to import from first."""
    environment = {name: text for name, text in os.environ.items() if "HEADWATER" not in name}
    return {**environment, "PYTHONPATH": str(path or "")}


def run_python(code: str, *arguments: str, cwd: Path, path: Path | None = None) -> str:
    """Return what `code` prints, run in `cwd`.

    Raises:
        AssertionError: it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env=outside_environment(path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
