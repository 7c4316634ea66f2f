"""The version of what computes: engine, audits and libraries, together with one contract's folder."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from pipeline.errors import HeadwaterError
from pipeline.files import code_cache, write_atomically

HOME = Path(__file__).resolve().parent.parent
ROOMS = ("pipeline", "quality")
"""The packages whose code can change a result."""

_Meanings = dict[str, tuple[int, int, str]]
"""File -> when it was changed, its size, and a digest of what its code says."""
_meanings: _Meanings = {}
_fresh: set[str] = set()


def code_version(contract_folder: Path, home: Path = HOME) -> str:
    """Return 12 hex digits that change with whatever can change a result.

    That is what the code of the `ROOMS` in `home` says, comments, docstrings and layout aside, and the files
    beside it; every file of the contract's folder; and which versions of the libraries that Headwater asks
    for are installed. Of files as they are on disk now, which need not be what this process has loaded; what
    has not changed since an earlier call is not read again, nor what an earlier process has read.
    """
    if not _meanings:
        _meanings.update(_read_cache())
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in _files(home / room):
            digest.update(str(path.relative_to(home)).encode())
            digest.update(_meaning(path).encode() if path.suffix == ".py" else path.read_bytes())
    for path in _files(contract_folder):
        digest.update(str(path.relative_to(contract_folder)).encode())
        digest.update(path.read_bytes())
    for library in _libraries():
        digest.update(library.encode())
    if home == HOME and _fresh:
        _write_cache()
        _fresh.clear()
    return digest.hexdigest()[:12]


@functools.cache
def loaded_code_version(contract_folder: Path, contract_version: str) -> str:  # noqa: ARG001
    """Return `code_version` as it was when this process first asked for it under this contract version.

    That is the code that the process has loaded, or as near to it as can be told.
    """
    return code_version(contract_folder)


def _files(folder: Path) -> Iterable[Path]:
    return (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    )


def _meaning(path: Path) -> str:
    """Return a digest of what the code of a file says."""
    found = path.stat()
    state = (found.st_mtime_ns, found.st_size)
    known = _meanings.get(str(path))
    if known is None or known[:2] != state:
        said = hashlib.sha256(_said(path.read_bytes())).hexdigest()
        known = _meanings[str(path)] = (*state, said)
        _fresh.add(str(path))
    return known[2]


def _cache() -> Path:
    # What the syntax tree of the same source says differs by version of the interpreter.
    name = f"code-meanings-{sys.version_info.major}.{sys.version_info.minor}.json"
    return code_cache(HOME / "pipeline") / name


def _read_cache() -> _Meanings:
    try:
        found = json.loads(_cache().read_text())
        return {
            str(path): (int(at), int(size), str(said)) for path, (at, size, said) in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        # It was never made, or is damaged: then all is read.
        return {}


def _write_cache() -> None:
    with suppress(OSError, HeadwaterError):
        _cache().parent.mkdir(parents=True, exist_ok=True)
        own = {path: found for path, found in _meanings.items() if Path(path).is_relative_to(HOME)}
        write_atomically(_cache(), json.dumps(own))


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
