"""Functions compiled to machine code: what a loop over bytes needs where no library has the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return `function` compiled when first called, without the interpreter's lock while it runs.

    Machine code is kept beside the source, or in the user's cache where that cannot be written, and
    made again when the source changes: seconds at the first call, tenths of one afterwards. Arguments
    are numbers and NumPy arrays; indices are NOT checked against an array's bounds.
    """
    return cast(Function, numba.njit(nogil=True, cache=True)(function))
