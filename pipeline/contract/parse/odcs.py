"""The Open Data Contract Standard's own rules: its published JSON Schema, and the versions we read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pipeline.contract.json_schema import JsonSchema
from pipeline.contract.source.document import Loc, as_json
from pipeline.contract.source.reader import ContractReader

if TYPE_CHECKING:
    from jsonschema import ValidationError

API_VERSIONS = ("v3.0.2", "v3.1.0", "v3.2.0")


def check_structure(reader: ContractReader) -> None:
    """Report every way in which the document is not ODCS v3."""
    version = reader.at(("apiVersion",))
    if version is not None and version not in API_VERSIONS:
        reader.report(("apiVersion",), f"one of {', '.join(API_VERSIONS)}, not {version!r}")
    for error in _schema().errors(as_json(reader.document.data)):
        loc: Loc = tuple(error.absolute_path)
        if loc == ("apiVersion",):
            continue
        for place, expected in _explain(error, loc):
            reader.report(place, expected)


def _explain(error: ValidationError, loc: Loc) -> Iterator[tuple[Loc, str]]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator in ("unevaluatedProperties", "additionalProperties"):
        # One wrong value makes the validator call all of its siblings unevaluated: judge by name.
        known = _known_keys(schema)
        instance = error.instance if isinstance(error.instance, dict) else {}
        for key in instance:
            if key not in known:
                yield (*loc, key), f"no such key in ODCS; known keys are {', '.join(sorted(known))}"
    elif error.validator == "required":
        yield loc, f"required key: {_missing(error)}"
    elif error.validator == "type":
        yield loc, f"{_words(error.validator_value)}, not {_short(error.instance)}"
    elif error.validator == "enum":
        yield loc, f"one of {_words(error.validator_value)}, not {_short(error.instance)}"
    elif error.validator in ("oneOf", "anyOf") and error.context:
        nested = min(error.context, key=lambda one: (one.validator == "type", -len(one.path)))
        yield from _explain(nested, (*loc, *nested.relative_path))
    else:
        yield loc, error.message[:300]


def _missing(error: ValidationError) -> str:
    key = error.message.split()[0]
    # The published schema takes a property of no logical type for a map.
    untyped = isinstance(error.instance, dict) and "logicalType" not in error.instance
    return "'logicalType'" if key == "'map'" and untyped else key


def _known_keys(schema: Any) -> set[str]:
    """Return every key that `schema` may evaluate, through its references and branches."""
    if not isinstance(schema, Mapping):
        return set()
    known = set(schema.get("properties", ()))
    if "$ref" in schema:
        known |= _known_keys(_schema().schema["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    for part in schema.get("allOf", ()):
        known |= _known_keys(part)
    return known | _known_keys(schema.get("then"))


def _words(values: Any) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@cache
def _schema() -> JsonSchema:
    text = files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return JsonSchema(json.loads(text))
