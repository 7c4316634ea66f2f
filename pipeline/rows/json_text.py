"""JSON that loses nothing: numbers as their texts, no name twice."""

from __future__ import annotations

import json
from typing import Any

from pipeline.rows.numbers import NumberText


def parse_json(text: str) -> Any:
    """Return the value of a JSON text. Its numbers, NaN and Infinity are `NumberText`.

    Raises:
        ValueError: it is none, names something twice, or is nested too deeply.
    """
    try:
        return json.loads(
            text,
            parse_int=NumberText,
            parse_float=NumberText,
            parse_constant=NumberText,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{twice[:50]!r} is there twice")
    return found
