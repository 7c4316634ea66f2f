"""What a contract has to say of fields, as far as values let it be guessed. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.avro.logical_types import TIMESTAMPS, logical_type, type_name

KEY_TYPES = ("string", "int", "long", "enum")
MOST_SYMBOLS = 12
"""A text of no more different values, over ten times as many rows, is one of a set."""
_TIME_NAMES = ("event_time", "eventtime", "timestamp", "ts", "time", "occurred_at", "created_at")
_UUID_NAMES = ("uuid", "event_id", "eventid", "message_id", "id")
_PERSONAL = re.compile(
    r"e?mail|phone|mobile|(first|last|full|user|sur|nick)_?name|address|street|zip|postal|birth|\bip\b|ip_?addr"
    r"|passport|iban|card|(user|customer|account|person|patient|member|visitor|device)_?id|latitude|longitude",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")


@dataclass(frozen=True)
class Rule:
    """A business rule: a check of pandera's with its arguments."""

    check: str
    arguments: Mapping[str, Any]


@dataclass
class Choices:
    """What was chosen, None where nothing fits.

    Attributes:
        why: `key`, `eventTime` or `uuid` -> what it was chosen by.
        personal: fields that may be personal data -> why.
        rules: field -> rules that all rows seen meet.
        nulls: field -> share of rows, from 0 to 1, in which it is null or absent.
    """

    key: str | None = None
    event_time: str | None = None
    uuid: str | None = None
    why: dict[str, str] = field(default_factory=dict)
    personal: dict[str, str] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    nulls: dict[str, float] = field(default_factory=dict)


def choose(
    schema: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], keys: Sequence[bytes | None] = ()
) -> Choices:
    """Return what fits the fields of `schema`, by `rows` of it and the keys of their records, one each."""
    found = Choices()
    types = {one["name"]: one["type"] for one in schema["fields"]}
    always = [
        name for name, type_ in types.items() if not (isinstance(type_, list) and "null" in type_)
    ]
    _choose_event_time(found, types, always)
    _choose_uuid(found, types, always, rows)
    _choose_key(found, types, always, rows, keys)
    for name, type_ in types.items():
        values = [row[name] for row in rows if row.get(name) is not None]
        if rows:
            found.nulls[name] = 1 - len(values) / len(rows)
        if personal := next((one for one in _names(name, type_) if _PERSONAL.search(one)), None):
            found.personal[name] = "by its name" if personal == name else f"it has {personal}"
        elif any(isinstance(value, str) and _MAIL.fullmatch(value) for value in values):
            found.personal[name] = "it holds addresses of mail"
        if name not in (found.key, found.uuid, found.event_time) and (
            rules := _rules(type_, values)
        ):
            found.rules[name] = rules
    return found


def _names(name: str, type_: Any) -> Iterator[str]:
    """Yield the name of a field, and of all fields inside of it."""
    yield name
    for one in type_ if isinstance(type_, list) else [type_]:
        if isinstance(one, Mapping):
            for field_ in one.get("fields", ()):
                yield from _names(field_["name"], field_["type"])
            for inner in ("items", "values"):
                if inner in one:
                    yield from (each for each in _names("", one[inner]) if each)


def _choose_event_time(found: Choices, types: Mapping[str, Any], always: Sequence[str]) -> None:
    times = [name for name in always if logical_type(types[name]) in TIMESTAMPS]
    named = [name for wanted in _TIME_NAMES for name in times if name.lower() == wanted]
    if times:
        found.event_time = (named or times)[0]
        found.why["eventTime"] = "by its name" if named else "the first time that is never null"


def _choose_uuid(
    found: Choices,
    types: Mapping[str, Any],
    always: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    texts = [
        name
        for name in always
        if type_name(types[name]) == "string" and not logical_type(types[name])
    ]
    unique = [name for name in texts if rows and len({row.get(name) for row in rows}) == len(rows)]
    named = [name for wanted in _UUID_NAMES for name in unique if name.lower() == wanted]
    named += [name for name in unique if re.search(r"(^|_)(uuid|id)$|Id$", name)]
    if named:
        found.uuid = named[0]
        found.why["uuid"] = "no two records that were seen share it"


def _choose_key(
    found: Choices,
    types: Mapping[str, Any],
    always: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[bytes | None],
) -> None:
    able = [
        name
        for name in always
        if type_name(types[name]) in KEY_TYPES and not logical_type(types[name])
    ]
    for name in able:
        told = [str(row.get(name)).encode() for row in rows]
        if keys and told == list(keys):
            found.key, found.why["key"] = name, "the records' keys are its values"
            return
    named = [
        name for name in able if re.search(r"(^|_)(id|key|code)$|Id$", name) and name != found.uuid
    ]
    chosen = (
        named
        or [name for name in able if name == found.uuid]
        or sorted(able, key=lambda name: (_is_same(rows, name), type_name(types[name]) != "string"))
    )
    if chosen:
        found.key = chosen[0]
        found.why["key"] = "by its name" if named else "nothing better is there"


def _is_same(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({row.get(name) for row in rows}) == 1


def _rules(type_: Any, values: Sequence[Any]) -> list[Rule]:
    if not values or logical_type(type_) is not None:
        return []
    kind = type_name(type_)
    if kind in ("int", "long", "float", "double") and min(values) >= 0:
        return [Rule("greater_than_or_equal_to", {"min_value": 0})]
    if kind == "string":
        counts = Counter(values)
        if len(counts) <= MOST_SYMBOLS and len(values) >= 10 * len(counts):
            return [Rule("isin", {"allowed_values": sorted(counts)})]
    return []
