"""JSON Schemas that are quick to say that all is well, and say what is wrong in the words of one library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jsonschema_rs import validator_for

if TYPE_CHECKING:
    from jsonschema import ValidationError


class JsonSchema:
    """A JSON Schema; its draft is the one that it names."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self._quick = validator_for(schema)

    def errors(self, value: Any) -> Iterator[ValidationError]:
        """Yield what is wrong with a value in what JSON has."""
        if self._is_valid(value):
            return
        # Here: two hundred times as slow, and long to import, for what most values have none of.
        from jsonschema.validators import validator_for as validator_class

        yield from validator_class(self.schema)(self.schema).iter_errors(value)

    def _is_valid(self, value: Any) -> bool:
        try:
            return self._quick.is_valid(value)
        except ValueError:
            # Half of a surrogate pair, which is no text there.
            return False
