"""Fixes: expressions over a payload's fields, and functions of the product's folder."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.contract.model import Product
from pipeline.dead_letters.fixes.fix import Broken, Fixed, FixInvalidError
from pipeline.dead_letters.fixes.function import CallableFix
from pipeline.dead_letters.fixes.mapping import MappingFix
from pipeline.dead_letters.outbox.as_contract import by_current_names
from pipeline.kafka.records import RawRecord
from tests.support.products import own_product


def letter(payload: dict[str, Any], *, whole: bool = True, key: str | None = "k") -> Broken:
    record = RawRecord(0, 1, 0, b"k", b"v", ())
    return Broken(record, "undecodable", "", "u", key, 5, payload, whole)


def mended(fix: MappingFix, *payloads: dict[str, Any]) -> list[Any]:
    made = fix.apply([letter(payload) for payload in payloads])
    return [one if isinstance(one, str) else one.payload for one in made]


def test_a_field_is_set_to_an_expression_over_what_the_writer_wrote() -> None:
    fix = MappingFix.parse(["seconds=cast(floor(ms / 1000) as int)", "note='mended'"])
    assert mended(fix, {"ms": 1_999, "x": 1}, {"ms": None, "x": 2}) == [
        {"ms": 1_999, "x": 1, "seconds": 1, "note": "mended"},
        {"ms": None, "x": 2, "seconds": None, "note": "mended"},
    ]


def test_a_path_leads_into_records_and_money_stays_exact() -> None:
    fix = MappingFix.parse(["meta.source=upper(place)", "amount=coalesce(amount, fallback)"])
    given = {
        "meta": {"id": 7, "source": None},
        "place": "web",
        "amount": None,
        "fallback": Decimal("0.10"),
    }
    assert mended(fix, given) == [
        {**given, "meta": {"id": 7, "source": "WEB"}, "amount": Decimal("0.10")}
    ]


def test_one_that_an_expression_cannot_mend_does_not_keep_the_others() -> None:
    fix = MappingFix.parse(["n=cast(text as int)"])
    first, second, third = mended(fix, {"text": "7"}, {"text": "seven"}, {"text": 8})
    assert (first["n"], third["n"]) == (7, 8)
    assert second.startswith("n: ")


def test_what_has_no_such_field_or_is_not_whole_is_left_as_it_is() -> None:
    fix = MappingFix.parse(["n=missing + 1"])
    assert mended(fix, {"text": "7"}) == ["n: the payload has no field missing"]
    assert fix.apply([letter({"missing": 1}, whole=False)]) == ["its payload cannot be read whole"]


def test_the_key_may_be_set_and_uuid_and_time_stay() -> None:
    fix = MappingFix.parse(["_key=customer"])
    assert fix.apply([letter({"customer": 12}, key=None)]) == [
        Fixed({"customer": 12}, "u", "12", 5)
    ]


@pytest.mark.parametrize(
    "text", ["", "amount", "=1", "amount=", "am-ount=1", "a=1 +", "a=select 1 from b"]
)
def test_what_is_no_fix_is_refused_by_name(text: str) -> None:
    with pytest.raises(FixInvalidError):
        MappingFix.parse([text])


def test_a_field_is_set_once() -> None:
    with pytest.raises(FixInvalidError, match="second time"):
        MappingFix.parse(["a=1", "a=2"])


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return own_product("strict_events", tmp_path)


def function(product: Product, text: str) -> CallableFix:
    folder = product.folder / "fixes"
    folder.mkdir(exist_ok=True)
    (folder / "mend.py").write_text(text)
    return CallableFix.load(product, "mend")


def test_a_function_returns_a_payload_or_all_of_it_or_nothing(product: Product) -> None:
    fix = function(
        product,
        "from pipeline.dead_letters.fixes.fix import Fixed\n"
        "def fix(letter):\n"
        "    n = letter.payload.pop('n')\n"
        "    made = {1: {'n': 2}, 2: Fixed({'n': 9}, key='own'), 3: None, 4: 'text'}\n"
        "    return made[n]\n",
    )
    given = [letter({"n": n}) for n in (1, 2, 3, 4, 5)]
    assert fix.apply(given) == [
        Fixed({"n": 2}, "u", "k", 5),
        Fixed({"n": 9}, "u", "own", 5),
        "fix left it as it is",
        "fix returned a str, no payload",
        "fix failed: KeyError",
    ]
    assert given[0].payload == {"n": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def mend(letter): ...", "no function `fix`"),
        ("1 / 0", "fails when it is loaded"),
        ("def fix(letter)", "fails when it is loaded"),
    ],
)
def test_a_file_that_is_no_fix_is_refused_by_name(product: Product, text: str, says: str) -> None:
    with pytest.raises(FixInvalidError, match=says):
        function(product, text)


def test_a_function_that_is_not_there_is_told_with_those_that_are(product: Product) -> None:
    function(product, "def fix(letter): ...")
    with pytest.raises(FixInvalidError, match="There are: mend"):
        CallableFix.load(product, "other")
    with pytest.raises(FixInvalidError):
        CallableFix.load(product, "../mend")


def test_a_payload_has_the_names_that_the_contract_has_now() -> None:
    inner = {
        "type": "record",
        "name": "Inner",
        "fields": [{"name": "b", "type": "int", "aliases": ["old_b"]}],
    }
    schema = {
        "type": "record",
        "name": "Outer",
        "fields": [
            {"name": "a", "type": ["null", inner], "aliases": ["old_a"], "default": None},
            {"name": "many", "type": {"type": "array", "items": "Inner"}},
            {"name": "by", "type": {"type": "map", "values": "int"}},
        ],
    }
    given = {"old_a": {"old_b": 1}, "many": [{"b": 2}, {"old_b": 3}], "by": [("k", 4)], "more": 5}
    made = by_current_names(given, schema)
    assert made["a"]["b"] == 1
    assert [one["b"] for one in made["many"]] == [2, 3]
    assert (made["by"], made["more"]) == ({"k": 4}, 5)
