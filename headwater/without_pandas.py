"""Commands that read metadata, without what importing pandas costs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

_NEEDING = "great_expectations"
"""What needs it after all, where a contract has an expectation that only its library can judge."""


class _Absent(MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - as the protocol has it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        if fullname == "pandas" and _NEEDING not in sys.modules:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)


def without_pandas() -> None:
    """Let nothing in this process import pandas from now on, unless Great Expectations is imported.

    PyArrow imports it, where it is installed, to tell whether an object is pandas': a third of the processor
    time of a command that reads metadata. Only for processes of which nothing needs it: no Spark, no audits.
    """
    sys.meta_path.insert(0, _Absent())
