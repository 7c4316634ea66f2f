"""The version of what computes: engine, audits and libraries, together with one contract's folder."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
ROOMS = ("pipeline", "quality")
"""The packages whose code can change a result."""

_meanings: dict[Path, tuple[tuple[int, int], bytes]] = {}


def code_version(contract_folder: Path, home: Path = HOME) -> str:
    """Return 12 hex digits that change with whatever can change a result.

    That is what the code of the `ROOMS` in `home` says, comments, docstrings and layout aside, and the files
    beside it; every file of the contract's folder; and which versions of the libraries that Headwater asks
    for are installed. Of files as they are on disk now, which need not be what this process has loaded; what
    has not changed since an earlier call is not read again.
    """
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in _files(home / room):
            digest.update(str(path.relative_to(home)).encode())
            digest.update(_meaning(path) if path.suffix == ".py" else path.read_bytes())
    for path in _files(contract_folder):
        digest.update(str(path.relative_to(contract_folder)).encode())
        digest.update(path.read_bytes())
    for library in _libraries():
        digest.update(library.encode())
    return digest.hexdigest()[:12]


def _files(folder: Path) -> Iterable[Path]:
    return (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    )


def _meaning(path: Path) -> bytes:
    """Return a digest of what the code of a file says."""
    found = path.stat()
    state = (found.st_mtime_ns, found.st_size)
    known = _meanings.get(path)
    if known is None or known[0] != state:
        known = _meanings[path] = (state, hashlib.sha256(_said(path.read_bytes())).digest())
    return known[1]


def _said(source: bytes) -> bytes:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        # Half written: it will be something else soon.
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(ast.Constant(str())), *rest]:
                    node.body = rest
    return ast.dump(tree).encode()


def _libraries() -> Iterable[str]:
    try:
        asked = requires("headwater") or ()
    except PackageNotFoundError:
        return
    for name in sorted({re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in asked}):
        try:
            yield f"{name} {version(name)}\n"
        except PackageNotFoundError:
            yield f"{name} none\n"
