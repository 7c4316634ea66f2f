"""The Open Data Contract Standard's own rules: its published JSON Schema, and the versions we read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pipeline.config.nearest import did_you_mean, nearest
from pipeline.contract.json_schema import JsonSchema
from pipeline.contract.source.document import Loc, as_json
from pipeline.contract.source.reader import ContractReader

if TYPE_CHECKING:
    from jsonschema import ValidationError

_KEYS = ("unevaluatedProperties", "additionalProperties")
API_VERSIONS = ("v3.0.2", "v3.1.0", "v3.2.0")


def check_structure(reader: ContractReader) -> None:
    """Report every way in which the document is not ODCS v3."""
    version = reader.at(("apiVersion",))
    if version is not None and version not in API_VERSIONS:
        reader.report(("apiVersion",), f"one of {', '.join(API_VERSIONS)}, not {version!r}")
    errors = _schema().errors(as_json(reader.document.data))
    # What is misspelt first: what is missing for it is then no second mistake.
    for error in sorted(errors, key=lambda one: one.validator not in _KEYS):
        loc: Loc = tuple(error.absolute_path)
        if loc != ("apiVersion",):
            _report(reader, error, loc)


def _report(reader: ContractReader, error: ValidationError, loc: Loc) -> None:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator in _KEYS:
        # One wrong value makes the validator call all of its siblings unevaluated: judge by name.
        known = sorted(_known_keys(schema))
        instance = error.instance if isinstance(error.instance, dict) else {}
        for key in instance:
            if key not in known:
                near = nearest(key, [one for one in known if one not in instance])
                listed = "" if near else f"; known keys are {', '.join(known)}"
                reader.report_key((*loc, key), f"no such key in ODCS{listed}", known)
    elif error.validator == "required":
        key = _missing(error)
        reader.report((*loc, key), f"required key: {key!r}")
    elif error.validator == "type":
        reader.report_kind(loc, f"{_words(error.validator_value)}, not {_short(error.instance)}")
    elif error.validator == "enum":
        near_one = did_you_mean(error.instance, _words(error.validator_value).split(", "))
        expected = f"one of {_words(error.validator_value)}, not {_short(error.instance)}{near_one}"
        reader.report_kind(loc, expected)
    elif error.validator in ("oneOf", "anyOf") and error.context:
        nested = min(error.context, key=lambda one: (one.validator == "type", -len(one.path)))
        _report(reader, nested, (*loc, *nested.relative_path))
    else:
        reader.report(loc, error.message[:300])


def _missing(error: ValidationError) -> str:
    key = error.message.split()[0].strip("'")
    # The published schema takes a property of no logical type for a map.
    untyped = isinstance(error.instance, dict) and "logicalType" not in error.instance
    return "logicalType" if key == "map" and untyped else key


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
