"""The checks and expectations that a contract may name.

Known without importing pandera or Great Expectations, which takes seconds that reading a contract
should not cost; tests hold the pandera table to the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.config.nearest import did_you_mean
from pipeline.contract.json_schema import JsonSchema

DRAFT_7 = "http://json-schema.org/draft-07/schema#"

CHECKS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    name: (tuple(required.split()), tuple(optional.split()))
    for name, required, optional in (
        ("equal_to", "value", ""),
        ("not_equal_to", "value", ""),
        ("greater_than", "min_value", ""),
        ("greater_than_or_equal_to", "min_value", ""),
        ("less_than", "max_value", ""),
        ("less_than_or_equal_to", "max_value", ""),
        ("in_range", "min_value max_value", "include_min include_max"),
        ("isin", "allowed_values", ""),
        ("notin", "forbidden_values", ""),
        ("str_matches", "pattern", ""),
        ("str_contains", "pattern", ""),
        ("str_startswith", "string", ""),
        ("str_endswith", "string", ""),
        ("str_length", "", "min_value max_value exact_value"),
    )
}
"""Check, by pandera's name -> the arguments it needs, and those it may have."""

_SNAKE = re.compile(r"(?<=[a-z0-9])([A-Z])")
WHOLE_COLUMN = {
    "unique_values_eq": (
        "a check of rows; unique_values_eq judges a column as a whole, and no batch is a whole: "
        "isin judges rows, an expectation on a derived table its hours"
    ),
}
"""pandera's checks that judge no row by itself -> what is expected in their stead."""


Told = tuple[tuple[str, ...], str]
"""Where in a check or expectation a mistake is, and what should be there."""


def check_mistakes(name: str, arguments: Mapping[str, Any]) -> Iterator[Told]:
    """Yield what is wrong with one check, whatever column it is for."""
    if name in WHOLE_COLUMN:
        yield ("check",), WHOLE_COLUMN[name]
        return
    if name not in CHECKS:
        near = did_you_mean(name, CHECKS)
        yield ("check",), f"one of pandera's checks {', '.join(sorted(CHECKS))}; not {name!r}{near}"
        return
    required, optional = CHECKS[name]
    yield from _named(name, arguments, required, optional)


def _named(
    name: str, given: Mapping[str, Any], required: Iterable[str], optional: Iterable[str]
) -> Iterator[Told]:
    """Yield arguments that there are not, and those that are missing: a misspelt one once."""
    known = sorted({*required, *optional})
    missing = sorted(set(required) - set(given))
    for argument in sorted(set(given) - set(known)):
        near = get_close_matches(argument, missing, n=1, cutoff=0.5) or missing[:1]
        if near:
            missing.remove(near[0])
            yield ("arguments", argument), f"argument {near[0]!r} of {name}; not {argument!r}"
        else:
            listed = ", ".join(known)
            yield ("arguments", argument), f"arguments {listed} of {name}; not {argument!r}"
    for argument in missing:
        yield ("arguments",), f"argument {argument!r} of {name}"


def expectation_mistakes(type_: str, kwargs: Mapping[str, Any]) -> Iterator[Told]:
    """Yield what is wrong with one Great Expectations expectation, by its published JSON Schema."""
    schema = _expectation_schema(type_)
    if schema is None:
        known = [_SNAKE.sub(r"_\1", one.stem).lower() for one in _expectation_files().values()]
        near = did_you_mean(type_, known)
        yield ("type",), f"the type of a Great Expectations expectation, not {type_!r}{near}"
        return
    try:
        found = list(schema.errors(dict(kwargs)))
    except (OverflowError, ValueError):
        # Infinity and NaN, which a JSON Schema divides by what they must be a multiple of.
        yield ("kwargs",), "finite numbers"
        return
    by_name = [one for one in found if one.validator in ("required", "additionalProperties")]
    if by_name:
        required = schema.schema.get("required", ())
        for (_, *rest), text in _named(type_, kwargs, required, schema.schema["properties"]):
            yield ("kwargs", *rest), text
    for one in found:
        if one not in by_name:
            place = tuple(str(step) for step in list(one.absolute_path)[:1])
            yield ("kwargs", *place), f"arguments as {type_} takes them: {one.message[:200]}"


@cache
def _expectation_schema(type_: str) -> JsonSchema | None:
    file = _expectation_files().get(type_.replace("_", ""))
    if file is None:
        return None
    # They name no draft.
    return JsonSchema({"$schema": DRAFT_7, **json.loads(file.read_text("utf-8"))})


@cache
def _expectation_files() -> Mapping[str, Path]:
    """Return the file of every expectation's JSON Schema, by its type without underscores."""
    package = find_spec("great_expectations")
    if package is None or not package.submodule_search_locations:
        return {}
    folder = Path(package.submodule_search_locations[0], "expectations", "core", "schemas")
    return {file.stem.lower(): file for file in folder.glob("*Expect*.json")}
