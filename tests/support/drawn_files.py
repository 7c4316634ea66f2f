"""Drawn rows as a CSV, and when a value is the same as another."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

from tests.support.drawn_rows import NULL_TEXTS, Drawn


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        signs = math.copysign(1, left) == math.copysign(1, right)
        return (math.isnan(left) and math.isnan(right)) or (left == right and signs)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def as_csv(row: Drawn, rows: list[Any], path: Path) -> list[Any]:
    """Write rows to a CSV, and return what they must become: the format has one text for no value."""
    wanted = []
    fields = {f["name"]: f["type"] for f in row.schema["fields"]}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        for one in rows:
            written = json.loads(
                row.text(one), parse_float=_Raw, parse_int=_Raw, parse_constant=_Raw
            )
            cells = {name: _cell(written[name]) for name in fields}
            wanted.append(
                {
                    name: None
                    if isinstance(kind, list)
                    and cells[name] in NULL_TEXTS
                    and not _symbol(kind, cells[name])
                    else one[name]
                    for name, kind in fields.items()
                }
            )
            writer.writerow(cells.values())
    return wanted


class _Raw(str):
    __slots__ = ()


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return _dumped(value)
    return "" if value is None else {True: "true", False: "false"}.get(value, str(value))


def _dumped(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_dumped(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dumped, value)) + "]"
    return str(value) if isinstance(value, _Raw) else json.dumps(value)


def _symbol(kind: list[Any], text: str) -> bool:
    return any(isinstance(one, dict) and text in one.get("symbols", ()) for one in kind)


def has_no_text(kind: Any, value: Any) -> bool:
    """Whether a CSV has no text for a value: NaN where there must be one stands for none."""
    return kind in ("float", "double") and math.isnan(value)
