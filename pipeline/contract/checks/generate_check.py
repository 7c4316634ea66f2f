"""Whether made-up events can be as the contract wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.avro.arrow import UnsupportedTypeError
from pipeline.avro.logical_types import logical_type, type_name
from pipeline.avro.schema import Schema, field_types
from pipeline.config.nearest import did_you_mean
from pipeline.contract.settings.generate import GeneratedFieldSection
from pipeline.contract.settings.product import BARE, ProductSettings
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.rows.converted import ColumnError, converted

_NUMBERS = ("int", "long", "float", "double")
_Told = tuple[Loc, str]


def check_generate(
    reader: ContractReader, settings: ProductSettings, loc: Loc, payload: Mapping[str, Any]
) -> None:
    """Report hints that no field, its type or the gates take."""
    wanted, place = settings.generate, (*loc, "generate")
    if wanted.late and settings.gates.late is None:
        reader.report((*place, "late"), "nothing: without `gates.late` no late event is a row")
    is_told_twice = settings.uuid or (settings.schemas and settings.schemas.envelope not in BARE)
    if wanted.duplicates and not is_told_twice:
        reader.report((*place, "duplicates"), "nothing: without a `uuid` no event is a duplicate")
    types, schema = field_types(payload), Schema(payload)
    for name, hints in wanted.fields.items():
        at = (*place, "fields", name)
        if name not in types:
            listed = ", ".join(types)
            reader.report(
                at, f"a field of the payload ({listed}); not {name!r}{did_you_mean(name, types)}"
            )
        elif name in (settings.event_time, settings.uuid):
            reader.report(at, "nothing: event times and uuids are what they have to be")
        else:
            for inside, expected in _wrong(hints, schema.standalone(types[name])):
                reader.report((*at, *inside), expected)


def _wrong(hints: GeneratedFieldSection, type_: Any) -> Iterator[_Told]:
    for number, value in enumerate(hints.values or ()):
        try:
            converted([value], type_)
        except (ColumnError, UnsupportedTypeError, ValueError) as error:
            yield ("values", number), f"a value of the field's type: {error}"
    if hints.weights is not None:
        if len(hints.weights) != len(hints.values or ()):
            yield ("weights",), "a weight for each of `values`"
        elif min(hints.weights) < 0 or not sum(hints.weights):
            yield ("weights",), "weights that are not negative, and not all of them 0"
    if hints.range is not None:
        if hints.values is not None:
            yield ("range",), "either `values` or a `range`"
        elif type_name(type_) not in _NUMBERS and logical_type(type_) != "decimal":
            yield (
                ("range",),
                f"a field that is a number, not {logical_type(type_) or type_name(type_)}",
            )
        elif hints.range[0] > hints.range[1]:
            yield ("range",), "the least value, then the greatest"
    if hints.nulls and not (isinstance(type_, list) and "null" in type_):
        yield ("nulls",), "nothing: the field is never null"
