"""Functions compiled to machine code: what a loop over bytes needs where no library has the loop."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import config

from pipeline.files import code_cache

Function = TypeVar("Function", bound=Callable[..., Any])
_USE = b"from pipeline.native import"
_PACKAGE = Path(__file__).parent


def compiled(function: Function) -> Function:
    """Return `function` compiled when first called, without the interpreter's lock while it runs.

    Machine code is kept in `__pycache__` of this package, or in the user's cache where that cannot be
    written, and made again when the source of any compiled function changes: seconds at the first call,
    tenths of one afterwards. Arguments are numbers and NumPy arrays; indices are NOT checked against an
    array's bounds.
    """
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def digest(package: Path) -> str:
    """Return a digest of all sources under `package` that have compiled functions, or constants of theirs."""
    found = hashlib.sha256()
    sources = {one for one in package.rglob("*.py") if _USE in one.read_bytes()}
    for source in sorted(sources | {one for each in sources for one in _imported(each, package)}):
        text = source.read_bytes()
        found.update(len(text).to_bytes(8, "big") + text)
    return found.hexdigest()[:16]


def _imported(source: Path, package: Path) -> Iterator[Path]:
    """Yield the modules of `package` that `source` imports from."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for name in (node.module, *(f"{node.module}.{one.name}" for one in node.names)):
                file = package.parent.joinpath(*name.split(".")).with_suffix(".py")
                if file.is_relative_to(package) and file.is_file():
                    yield file


def _place() -> Path:
    if asked := getattr(config, "CACHE_DIR", ""):
        return Path(asked)
    return code_cache(_PACKAGE)


# The library tells only whether a function's own file is as it was, not those of what it calls.
vars(config)["CACHE_DIR"] = str(_place() / f"native-{digest(_PACKAGE)}")
