"""A value that is JSON as fields of the payload, read alone: exactly, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError, reader
from pipeline.avro.encode import encoder
from pipeline.rows.convert import row_converter
from pipeline.rows.json_objects import FRAME_BYTES
from pipeline.rows.numbers import NumberText


class _Twice:
    """Stands for a name that an object has twice: no type takes it."""

    def __repr__(self) -> str:
        return "a name that is there twice"


def unframed(value: bytes) -> bytes:
    """Return a value without Confluent's framing, where it has that: no JSON begins with a zero byte."""
    return value[FRAME_BYTES:] if value[:1] == b"\0" else value


def json_decoder(schema: Mapping[str, Any], *, within: str | None = None) -> Callable[[bytes], Any]:
    """Return what reads an object, by the table of conversions in docs/reference/produce.md.

    Its fields are what the same payload has in Avro; where there is an object under `within`, they are that
    one's. It raises what reading Avro does.
    """
    convert, encode, read = (
        row_converter(schema, texts=False),
        encoder(schema),
        reader(schema, schema),
    )

    def decode(value: bytes) -> Any:
        try:
            found = json.loads(
                value.decode(),
                parse_int=NumberText,
                parse_float=NumberText,
                parse_constant=NumberText,
                object_pairs_hook=_object,
            )
            if within is not None and isinstance(found, dict):
                held = found.get(within)
                found = held if isinstance(held, dict) else found
            return read(encode(convert(found)))
        except OutOfRangeError:
            raise
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise UnreadableValueError(f"no JSON of the payload: {error}") from None

    return decode


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    return {name: _Twice() if names.count(name) > 1 else value for name, value in found.items()}
