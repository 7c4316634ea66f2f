"""Drawing how a payload's schema changes from version to version, with each field's identity kept.

Every field has an attribute `fid`, which Avro leaves alone: the column that it is, whatever its name. A
field that comes back after it was dropped is the column that it was.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.decoder.schemas import types as all_types

Schema = dict[str, Any]
OWN = (
    {"name": "id", "type": "string", "fid": "id"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}, "fid": "at"},
)
"""Key and event time: every version has them as they are."""
DEFAULTS: dict[str, Any] = {
    "boolean": True,
    "int": -7,
    "long": 7,
    "float": 0.5,
    "double": -0.25,
    "string": "é",
    "bytes": "\u00ff\u0000",
}
WIDER = {"int": "long", "float": "double"}


def types(depth: int = 2) -> st.SearchStrategy[Any]:
    """Draw any type but times of day, which Spark reads no table with."""
    return all_types(depth).map(_without_times)


def _without_times(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_times(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if str(schema.get("logicalType")).startswith("time-"):
        return schema["type"]
    if "fields" in schema:
        fields = [{**f, "type": _without_times(f["type"])} for f in schema["fields"]]
        return {**schema, "fields": fields}
    return {
        k: _without_times(v) if k in ("type", "items", "values") else v for k, v in schema.items()
    }


class Names:
    """Gives out names and identities that no other field of the chain has."""

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"c{self._count}"


def records(schema: Any) -> Iterator[Schema]:
    """Yield every record of a schema, the outermost first."""
    if isinstance(schema, list):
        for branch in schema:
            yield from records(branch)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            yield schema
            for field in schema["fields"]:
                yield from records(field["type"])
        for key in ("items", "values"):
            if key in schema:
                yield from records(schema[key])


@st.composite
def first_version(draw: st.DrawFn, names: Names) -> Schema:
    """Draw the schema that a chain begins with."""
    schema: Schema = {"type": "record", "name": "Payload", "fields": copy.deepcopy(list(OWN))}
    for _ in range(draw(st.integers(1, 4))):
        schema["fields"].append({"name": names.next(), "type": draw(types())})
    return _identified(schema, names)


@st.composite
def next_version(
    draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names
) -> Schema:
    """Draw a version that the check should allow after `schema`; `dropped` are fields that are gone."""
    schema = copy.deepcopy(schema)
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from(_ALLOWED))(draw, schema, dropped, names)
        _identified(schema, names)
    return schema


@st.composite
def broken_version(draw: st.DrawFn, schema: Schema, names: Names) -> Schema | None:
    """Draw a version that the check must refuse after `schema`; None where it has nothing to break."""
    schema = copy.deepcopy(schema)
    done = draw(st.sampled_from(_REFUSED))(draw, schema, names)
    return _identified(schema, names) if done else None


def _identified(schema: Schema, names: Names) -> Schema:
    for record in records(schema):
        for field in record["fields"]:
            if "fid" not in field:
                field["fid"] = names.next()
                # Records are drawn with the same few names.
                if field["name"].startswith("f"):
                    field["name"] = names.next()
    return schema


def _free(record: Schema) -> list[Schema]:
    return [field for field in record["fields"] if field["fid"] not in ("id", "at")]


def _a_record(draw: st.DrawFn, schema: Schema) -> Schema:
    return draw(st.sampled_from(list(records(schema))))


def _add(draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names) -> None:
    record = _a_record(draw, schema)
    field: Schema = {"name": names.next()}
    if draw(st.booleans()):
        kind = draw(types(1))
        kind = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
        field |= {"type": ["null", *kind], "default": None}
    elif draw(st.booleans()):
        kind = draw(st.sampled_from(sorted(DEFAULTS)))
        field |= {"type": kind, "default": DEFAULTS[kind]}
    else:
        inner = draw(types(1))
        shape = draw(st.sampled_from(["array", "map"]))
        key = "items" if shape == "array" else "values"
        field |= {"type": {"type": shape, key: inner}, "default": [] if shape == "array" else {}}
    record["fields"].insert(draw(st.integers(0, len(record["fields"]))), field)


def _drop(draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names) -> None:
    record = _a_record(draw, schema)
    free = _free(record)
    if len(free) < 2:
        return
    field = draw(st.sampled_from(free))
    record["fields"].remove(field)
    dropped.setdefault(record["name"], []).append(field)


def _bring_back(
    draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names
) -> None:
    record = _a_record(draw, schema)
    able = [f for f in dropped.get(record["name"], ()) if "default" in f]
    if able:
        field = draw(st.sampled_from(able))
        dropped[record["name"]].remove(field)
        record["fields"].append(copy.deepcopy(field))


def _rename(
    draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names
) -> None:
    free = _free(_a_record(draw, schema))
    if free:
        field = draw(st.sampled_from(free))
        field["aliases"] = [field["name"], *field.get("aliases", ())]
        field["name"] = names.next()


def _places(schema: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (holder, key) of every type that may be exchanged for a wider one."""
    holders: list[Any] = [schema] if isinstance(schema, list | dict) else []
    while holders:
        holder = holders.pop()
        keys: list[Any] = []
        if isinstance(holder, list):
            keys = list(range(len(holder)))
        elif holder.get("type") == "record":
            holders += [field for field in holder["fields"] if field["fid"] not in ("id", "at")]
        else:
            keys = [key for key in ("type", "items", "values") if key in holder]
        for key in keys:
            if isinstance(holder[key], list | dict):
                holders.append(holder[key])
            yield holder, key


def _widen(draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names) -> None:
    # A type with a logical one stays: its base is no number of its own.
    able = [
        (h, k)
        for h, k in _places(schema)
        if isinstance(h[k], str)
        and h[k] in WIDER
        and not (isinstance(h, dict) and "logicalType" in h)
    ]
    decimals = [
        h[k]
        for h, k in _places(schema)
        if isinstance(h[k], dict)
        and h[k].get("logicalType") == "decimal"
        and h[k]["type"] == "bytes"
        and h[k]["precision"] < 38
    ]
    if able and (not decimals or draw(st.booleans())):
        holder, key = draw(st.sampled_from(able))
        holder[key] = WIDER[holder[key]]
    elif decimals:
        decimal = draw(st.sampled_from(decimals))
        decimal["precision"] = draw(st.integers(decimal["precision"] + 1, 38))


def _nullable(
    draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names
) -> None:
    # Java fails by itself to make the default of a union whose first branch is a list of lists.
    able = [
        f
        for r in records(schema)
        for f in _free(r)
        if not isinstance(f["type"], list) and not isinstance(f.get("default"), list)
    ]
    if able:
        field = draw(st.sampled_from(able))
        # A default is of the union's first branch.
        field["type"] = [field["type"], "null"] if "default" in field else ["null", field["type"]]


def _reorder(
    draw: st.DrawFn, schema: Schema, dropped: dict[str, list[Schema]], names: Names
) -> None:
    record = _a_record(draw, schema)
    record["fields"] = draw(st.permutations(record["fields"]))


Change = Callable[[Any, Schema, dict[str, list[Schema]], Names], None]
_ALLOWED: list[Change] = [
    _add,
    _add,
    _drop,
    _bring_back,
    _rename,
    _widen,
    _widen,
    _nullable,
    _reorder,
]


def _without_default(draw: st.DrawFn, schema: Schema, names: Names) -> bool:
    _a_record(draw, schema)["fields"].append({"name": names.next(), "type": "int"})
    return True


def _retype(draw: st.DrawFn, schema: Schema, names: Names) -> bool:
    other = {
        "int": ["string", "float", "double", "boolean"],
        "long": ["int", "double", "float"],
        "float": ["int", "string"],
        "double": ["float", "long"],
        "string": ["bytes", "int"],
        "bytes": ["string", "int"],
        "boolean": ["int", "string"],
    }
    able = [
        (h, k)
        for h, k in _places(schema)
        if isinstance(h[k], str)
        and h[k] in other
        and not (isinstance(h, dict) and ("logicalType" in h or "default" in h))
        and not (isinstance(h, list) and len(h) > 2)
    ]
    if not able:
        return False
    holder, key = draw(st.sampled_from(able))
    holder[key] = draw(st.sampled_from(other[holder[key]]))
    return True


def _forget_alias(draw: st.DrawFn, schema: Schema, names: Names) -> bool:
    able = [f for r in records(schema) for f in _free(r) if f.get("aliases")]
    if not able:
        return False
    field = draw(st.sampled_from(able))
    field["aliases"] = field["aliases"][:-1]
    return True


def _take_name_back(draw: st.DrawFn, schema: Schema, names: Names) -> bool:
    able = [(r, a) for r in records(schema) for f in _free(r) for a in f.get("aliases", ())]
    if not able:
        return False
    record, alias = draw(st.sampled_from(able))
    record["fields"].append({"name": alias, "type": ["null", "string"], "default": None})
    return True


def _twin(draw: st.DrawFn, schema: Schema, names: Names) -> bool:
    record = _a_record(draw, schema)
    field = draw(st.sampled_from(record["fields"]))
    twin = field["name"].upper()
    record["fields"].append({"name": twin, "type": ["null", "string"], "default": None})
    return True


def _other_scale(draw: st.DrawFn, schema: Schema, names: Names) -> bool:
    able = [
        h[k]
        for h, k in _places(schema)
        if isinstance(h[k], dict) and h[k].get("logicalType") == "decimal" and h[k]["scale"] > 0
    ]
    if not able:
        return False
    draw(st.sampled_from(able))["scale"] -= 1
    return True


_REFUSED: list[Callable[[Any, Schema, Names], bool]] = [
    _without_default,
    _retype,
    _forget_alias,
    _take_name_back,
    _twin,
    _other_scale,
]
