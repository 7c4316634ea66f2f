"""A fix that is a Python function of the product's folder."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.contract.model import Product
from pipeline.dead_letters.fixes.fix import Broken, Fixed, FixInvalidError

FOLDER = "fixes"
"""Of a product's folder: where its functions are."""


@dataclass(frozen=True)
class CallableFix:
    """Calls a function of a Python file: what it is given is `Broken`, what it returns goes back.

    The function returns the payload, or `Fixed`, or None to leave the dead letter as it is. An exception of
    its leaves that dead letter as it is, too.
    """

    name: str
    function: Callable[[Broken], Mapping[str, Any] | Fixed | None]

    @property
    def text(self) -> str:
        """See `Fix.text`."""
        return f"{FOLDER}/{self.name}.py"

    @classmethod
    def load(cls, product: Product, name: str) -> CallableFix:
        """Return the function `fix` of `fixes/<name>.py` in the product's folder. Runs that file.

        Raises:
            FixInvalidError: there is no such file or function, or the file fails.
        """
        path = Path(product.folder) / FOLDER / f"{name}.py"
        subject = f"{product.name} fix {name}"
        if not re.fullmatch(r"\w+", name) or not path.is_file():
            known = sorted(one.stem for one in (path.parent).glob("*.py"))
            raise FixInvalidError(
                f"there is no file {FOLDER}/{name}.py in the product's folder.",
                subject=subject,
                remedy=f"There are: {', '.join(known) or 'none'}.",
            )
        spec = importlib.util.spec_from_file_location(f"headwater_fix_{name}", path)
        if spec is None or spec.loader is None:
            raise ImportError(str(path))
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise FixInvalidError(
                f"{path.name} fails when it is loaded ({type(error).__name__}: {error}).",
                subject=subject,
                remedy="Correct the file.",
            ) from error
        function = getattr(module, "fix", None)
        if not callable(function):
            raise FixInvalidError(
                f"{path.name} has no function `fix`.",
                subject=subject,
                remedy="Write `def fix(letter): ...`, which returns the payload or None.",
            )
        return cls(name, function)

    def apply(self, letters: Sequence[Broken]) -> Sequence[Fixed | str]:
        """See `Fix.apply`."""
        return [self._one(letter) for letter in letters]

    def _one(self, letter: Broken) -> Fixed | str:
        # What it changes in place is its own.
        given = replace(letter, payload=deepcopy(dict(letter.payload)))
        try:
            made = self.function(given)
        except Exception as error:  # noqa: BLE001 - the function is the user's
            return f"fix failed: {type(error).__name__}"
        if made is None:
            return "fix left it as it is"
        if isinstance(made, Mapping):
            return Fixed(made, letter.uuid, letter.key, letter.event_time)
        if not isinstance(made, Fixed):
            return f"fix returned a {type(made).__name__}, no payload"
        return Fixed(
            made.payload,
            made.uuid or letter.uuid,
            made.key or letter.key,
            letter.event_time if made.event_time is None else made.event_time,
        )
