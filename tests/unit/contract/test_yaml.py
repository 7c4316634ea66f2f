"""YAML 1.2 as plain values: held to another reader of it, and to the lines where things stand."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.contract.source.yaml_nodes import Node, NotYamlError, Place, read_yaml

LOOKS = [
    *("b c", "1", "0777", "1_0", ".5", "1e3", "yes", "null", "~", "", "2020-01-01", "x: y", "x #y"),
    *(
        "- a",
        "{",
        "[",
        "|",
        ">",
        "'s",
        "<<",
        "=",
        "%x",
        "@x",
        "a\nb",
        " lead",
        "?",
        ":",
        "!x",
        "&a",
        "*b",
    ),
]
CHARACTERS = st.characters(exclude_characters="\x85\u2028\u2029", exclude_categories=["Cc", "Cs"])
TEXTS = st.sampled_from(LOOKS) | st.text(CHARACTERS)
SCALARS = (
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates()
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(DATA, st.sampled_from([None, True, False]), st.sampled_from([None, '"', "'", "|", ">"]))
def test_a_document_is_read_as_another_reader_of_yaml_1_2_reads_it(
    data: Any, flow: bool | None, style: str | None
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, default_style=style, allow_unicode=True)
    assert repr(read_yaml(text).value) == repr(plain(YAML(typ="safe", pure=True).load(text)))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("NULL", None),
        ("", None),
        ("0777", 777),
        ("0o17", 15),
        ("-0x1F", -31),
        ("0b11", 3),
        ("1_000", 1000),
        ("12:30", "12:30"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1._5", 1.5),
        ("-.INF", -math.inf),
        ("2020-1-1", "2020-1-1"),
        ("2020-01-31", date(2020, 1, 31)),
        ("2020-01-31t1:02:03", datetime(2020, 1, 31, 1, 2, 3)),  # noqa: DTZ001
        ("2020-01-31 01:02:03.1234565 Z", datetime(2020, 1, 31, 1, 2, 3, 123_457, UTC)),
        (
            "2020-01-31T01:02:03-05:30",
            datetime(2020, 1, 31, 1, 2, 3, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
        ),
        ("!!str 1", "1"),
        ("!!int '3'", 3),
        ("=", "="),
        ("'1'", "1"),
        ("foo\u2028bar", "foo\u2028bar"),
        ('"a\\\n  b"', "ab"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: Any) -> None:
    found = read_yaml(f"a: {text}\n").value["a"]
    assert (type(found), found) == (type(value), value)
    assert getattr(found, "tzinfo", None) == getattr(value, "tzinfo", None)


def lines(node: Node) -> dict[str | int, int]:
    return {key: place.line for key, place in node.places.items()}


def test_everything_has_its_place() -> None:
    root = read_yaml(
        "a: 1\n"
        "b:\n"
        "  - x\n"
        "  -\n"
        "    - y\n"
        "  - {k: v,\n"
        "     l: w}\n"
        "c: |\n"
        "  text\n"
        "1.5: &there\n"
        "  d: 2\n"
        "e:\n"
        "  <<: *there\n"
        "  f: 3\n"
    )
    assert root.value["e"] == {"f": 3, "d": 2}
    assert lines(root) == {"a": 1, "b": 2, "c": 8, "1.5": 10, "e": 12}
    assert lines(root.inner["b"]) == {0: 3, 1: 5, 2: 6}
    assert lines(root.inner["b"].inner[2]) == {"k": 6, "l": 7}
    assert lines(root.inner["e"]) == {"f": 14, "d": 11}
    assert root.inner["b"].places[2] == Place(6, 5)
    assert root.inner["b"].inner[2].places["k"] == Place(6, 6)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate key: 'a' is at line 1"),
        ("a: 1\n---\nb: 1\n", 2, "one document"),
        ("a: [1\nb: 2\n", 1, "a `]` for this `[`"),
        ("a: 1\nb: *x\n", 2, "undefined alias 'x'"),
        ("a: &x [1, *x]\n", 1, "within what it stands for"),
        ("a: !secret x\n", 1, "no tag !secret"),
        ("a: !!set {x, y}\n", 1, "no tag"),
        ("? [a]\n: 1\n", 1, "a key that is a text"),
        ("a: 1\n<<: 2\n", 2, "a mapping, or a list of mappings"),
        ("a: 2020-13-01\n", 1, "month must be in 1..12, in '2020-13-01'"),
        ("a: -_\n", 1, "in '-_'"),
        ("%YAML 1.1\n---\na: yes\n", 1, "YAML 1.2, not 1.1"),
        ("a: b\x07\n", 1, "control characters"),
        (f"a:\n {'[' * 100_000}", 2, "no more than 100"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(200)), 101, "no more than 100"),
    ],
)
def test_what_has_no_plain_value_is_refused_by_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(NotYamlError) as refused:
        read_yaml(text)
    assert problem in str(refused.value)
    assert refused.value.line == line


def test_nothing_is_null() -> None:
    assert read_yaml("").value is None
    assert read_yaml("# only this\n").value is None
