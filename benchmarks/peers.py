"""Peers whose pins are not ours: each in an environment of its own, kept in the user's cache."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def installed(name: str, lock: Path, say: Callable[[str], None]) -> str:
    """Install what `lock` pins, hashes checked, unless it is; return why it cannot be had, or ""."""
    folder = _folder(name)
    done = folder / "ready"
    if done.exists() and done.read_text() == lock.read_text():
        return ""
    say(f"installing {name} ...")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--require-hashes"]
    found = subprocess.run([*pip, "-r", str(lock)], capture_output=True, text=True, check=False)
    if found.returncode:
        return f"it cannot be installed: {found.stderr.strip()[-300:]}"
    done.write_text(lock.read_text())
    return ""


def python_of(name: str) -> Path:
    """Return the peer's own interpreter."""
    return _folder(name) / "bin" / "python"


def _folder(name: str) -> Path:
    from pipeline.settings import load_settings

    return load_settings().cache / "peers" / name
