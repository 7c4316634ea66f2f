"""What of dead letters is personal, and is not shown unless somebody says why they look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.contract.model import Product
from pipeline.kafka.framing import HEADERS

MASKED = "(masked)"
"""Stands for what is not shown."""
_QUOTED = re.compile(r"""(?<!\w)(['"])(?:\\.|(?!\1).)*(?:\1|$)""", re.DOTALL)
"""A text as Python writes one, or the rest of one that was cut."""
_FIELD = re.compile(r"([\w.\[\]]+): ")


class Mask:
    """Hides what one product's contract classes as personal.

    A field is personal if the contract says so of its name or its path, wherever a field of that name
    stands and whatever it holds. Where nothing is personal, nothing is hidden.
    """

    def __init__(self, product: Product) -> None:
        self._names = {column.name for column in product.columns if column.personal}
        self._names |= {name.rpartition(".")[2] for name in self._names}
        paths = (*product.key_paths, product.key)
        self.hides_keys = any(self._is_personal(path) for path in paths)
        self.hides_uuids = product.uuid is not None and self._is_personal(product.uuid)

    @property
    def hides_bytes(self) -> bool:
        """Whether raw bytes are hidden: those of any value, and of headers that are not Headwater's."""
        return bool(self._names)

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields with those masked that are personal, at every level."""
        return {name: self._field(name, value, name) for name, value in fields.items()}

    def envelope(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        """Return an envelope's fields, its key masked where the field that it is made of is personal."""
        hidden = {"key"} if self.hides_keys else set()
        hidden |= {"uuid"} if self.hides_uuids else set()
        return {
            name: MASKED if name in hidden and value is not None else value
            for name, value in self.fields(envelope).items()
        }

    def detail(self, text: str) -> str:
        """Return a detail without texts that it quotes, nor anything of a personal field's value."""
        if not self._names:
            return text
        named = _FIELD.match(text)
        if named is not None and self._is_personal(re.sub(r"\[\w*\]", "", named[1])):
            return f"{named[0]}{MASKED}"
        return _QUOTED.sub(MASKED, text)

    def header(self, name: str, value: bytes | None) -> bytes | None:
        """Return a header's value: masked if it is none of those that Headwater knows."""
        known = name in HEADERS or value is None
        return value if known or not self.hides_bytes else MASKED.encode()

    def _is_personal(self, path: str) -> bool:
        return path in self._names or not self._names.isdisjoint(path.split("."))

    def _field(self, name: str, value: Any, path: str) -> Any:
        if value is None:
            return None
        if name in self._names or path in self._names:
            return MASKED
        if isinstance(value, Mapping):
            return {
                str(key): self._field(str(key), one, f"{path}.{key}") for key, one in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._field(name, one, path) for one in value]
        return value
