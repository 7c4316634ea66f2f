"""What is personal is not shown, at whatever level it stands; and where bytes broke is."""

from __future__ import annotations

import pytest

from pipeline.contract.load import load_product
from pipeline.contract.model import Column
from pipeline.dead_letters.look.dump import dump
from pipeline.dead_letters.look.masking import MASKED, Mask
from tests.support.products import CONTRACTS

PRODUCT = load_product(CONTRACTS / "protobuf_orders")
MASK = Mask(PRODUCT)
PLAIN = Mask(load_product(CONTRACTS / "strict_events"))
"""Nothing of it is personal."""


def test_personal_fields_are_masked_at_every_level_and_nulls_are_told() -> None:
    fields = {
        "customer_id": "ann",
        "country": "DE",
        "items": [{"sku": "a", "customer_id": "bob"}],
        "before": {"row": {"customer_id": 7, "country": "FR"}},
    }
    assert MASK.fields(fields) == {
        "customer_id": MASKED,
        "country": "DE",
        "items": [{"sku": "a", "customer_id": MASKED}],
        "before": {"row": {"customer_id": MASKED, "country": "FR"}},
    }
    assert MASK.fields({"customer_id": None}) == {"customer_id": None}
    assert PLAIN.fields(fields) == fields


def test_a_personal_field_hides_all_that_it_holds() -> None:
    columns = (Column(name="customer", tags=("pii",)),)
    mask = Mask(PRODUCT.model_copy(update={"columns": columns}))
    assert mask.fields({"customer": {"name": "ann", "of": [1]}}) == {"customer": MASKED}


def test_keys_bytes_and_unknown_headers_are_personal_where_fields_are() -> None:
    assert (MASK.hides_keys, MASK.hides_bytes, MASK.hides_uuids) == (True, True, False)
    assert (PLAIN.hides_keys, PLAIN.hides_bytes) == (False, False)
    assert MASK.envelope({"uuid": "u", "key": "ann"}) == {"uuid": "u", "key": MASKED}
    assert MASK.header("producer", b"app") == b"app"
    assert MASK.header("user", b"ann") == MASKED.encode()
    assert PLAIN.header("user", b"ann") == b"ann"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12 bytes, over 10", "12 bytes, over 10"),
        ("country: 'ann' is no code", f"country: {MASKED} is no code"),
        ("no \"it's ann\", nor 'b\\'ob'", f"no {MASKED}, nor {MASKED}"),
        ("cut short: 'ann lives in", f"cut short: {MASKED}"),
        ("the producer's clock is fast", "the producer's clock is fast"),
        ("customer_id: 4711 is no text", f"customer_id: {MASKED}"),
        ("items[3].customer_id: 4711", f"items[3].customer_id: {MASKED}"),
    ],
)
def test_details_quote_nobody(text: str, shown: str) -> None:
    assert MASK.detail(text) == shown
    assert PLAIN.detail(text) == text


def test_the_byte_that_broke_stands_in_brackets_among_those_around_it() -> None:
    lines = dump(bytes(range(48)), 17)
    assert lines[0].startswith("00000000  00  01 ")
    assert lines[1].startswith("00000010  10 [11] 12 ")
    assert lines[1].endswith(" ................")
    assert lines[2].endswith(""" !"#$%&'()*+,-./""")


def test_where_bytes_are_missing_their_end_is_marked_and_long_values_are_cut_to_what_matters() -> (
    None
):
    assert dump(b"abc", 3) == [f"00000000  61  62  63 [--]{' ' * 48} abc"]
    assert dump(b"", 0) == [f"00000000 [--]{' ' * 60} "]
    assert dump(b"", None) == []
    long = dump(bytes(1_000), 500)
    assert (long[0], long[-1]) == ("432 bytes before", "424 bytes after")
    assert len(long) < 12
    assert "[" not in "".join(dump(bytes(40), None))
