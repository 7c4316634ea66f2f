"""What is wrong with a layer: every fault at once, by the name that the setting has there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.layer import Fault, Key, Layer
from pipeline.config.model import CellSection, Configuration, merged
from pipeline.config.reference import SecretReference

_UNKNOWN = "extra_forbidden"


def examine(layer: Layer) -> tuple[Fault, ...]:
    """Return the faults of settings that are unknown or of the wrong type, and of references to secrets."""
    of_secrets = tuple(
        Fault(layer.where, layer.name(key), f"cannot be used: {value.mistake}.", "Correct it.")
        for key, value in layer.leaves()
        if isinstance(value, SecretReference) and value.mistake
    )
    try:
        merged([layer])
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return (*of_secrets, *(_fault(layer, one) for one in found))
    return of_secrets


def _fault(layer: Layer, error: ErrorDetails) -> Fault:
    key = tuple(str(part) for part in error["loc"] if part != "[key]")
    name = layer.name(key)
    if error["type"] == _UNKNOWN:
        known = _known(key)
        near = difflib.get_close_matches(key[-1], known, n=1, cutoff=0.5)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known are: {', '.join(known)}."
        return Fault(layer.where, name, "is no setting.", hint)
    words = error["msg"].removeprefix("Value error, ")
    return Fault(
        layer.where, name, f"cannot be used: {words[:1].lower()}{words[1:]}.", "Correct it."
    )


def _known(key: Key) -> list[str]:
    """Return the settings that there are beside the unknown one at `key`."""
    fields: Mapping[str, Any] = Configuration.model_fields
    for part in key[:-1]:
        if part == "cells":
            fields = CellSection.model_fields
        elif part in fields and _is_section(fields[part].annotation):
            fields = fields[part].annotation.model_fields
    return sorted(fields)


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
