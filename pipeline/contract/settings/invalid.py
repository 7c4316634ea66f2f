"""What pydantic finds wrong with settings, in the words of contracts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader

_KINDS = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_pattern_mismatch": "small letters, digits and _, a letter first",
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
}


def report_invalid(
    reader: ContractReader, loc: Loc, error: ValidationError, section: type[BaseModel]
) -> None:
    """Report what pydantic found in the mapping at `loc`, which is to be a `section`."""
    details = error.errors(include_url=False)
    # What is misspelt first: what is missing for it is then no second mistake.
    unknown = [one["loc"] for one in details if one["type"] == "extra_forbidden"]
    for detail in sorted(details, key=lambda one: one["type"] != "extra_forbidden"):
        place: Loc = (*loc, *detail["loc"])
        if detail["type"] == "extra_forbidden":
            known = _known(section, detail["loc"][:-1])
            reader.report_key(place, f"no such key; known keys are {', '.join(known)}", known)
        elif detail["type"] == "missing" and len(details) == 2 and len(unknown) == 1:
            # One key under another name: of what it is called more is not told.
            continue
        else:
            reader.report(place, _expected(detail))


def _expected(detail: Any) -> str:
    kind, found = detail["type"], detail["input"]
    if kind == "missing":
        return f"required key: {detail['loc'][-1]!r}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "too_short":
        return f"a list of at least {detail['ctx']['min_length']} item"
    if kind == "model_type" and detail["ctx"]["class_name"] == "ReadSection":
        return f"a mapping such as {{table: events}}, not {found!r}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words.format(format(detail['ctx'][key], 'g'))}, not {found!r}"
    text = str(detail["msg"]).removeprefix("Input should be ").removeprefix("Value should be ")
    return f"{_KINDS.get(kind, text)}, not {found!r}"


def _known(section: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys of the section at `loc` within a section."""
    for step in loc:
        found = {field.alias: field for field in section.model_fields.values()}
        if step in found:
            section = next(_sections(found[str(step)].annotation), section)
    return [str(field.alias) for field in section.model_fields.values()]


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)
