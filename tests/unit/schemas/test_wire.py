from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PoisonError
from pipeline.schemas import wire

ids = st.integers(0, wire.MAX_SCHEMA_ID)


@given(ids, st.binary())
def test_what_is_encoded_splits_into_itself(schema_id: int, avro: bytes) -> None:
    assert wire.split(wire.encode(schema_id, avro)) == (schema_id, avro)


def test_the_format_is_confluents() -> None:
    assert wire.encode(258, b"\x02a") == b"\x00\x00\x00\x01\x02\x02a"


@given(st.binary())
def test_any_bytes_split_or_are_poison(value: bytes) -> None:
    try:
        schema_id, avro = wire.split(value)
    except PoisonError:
        assert len(value) < wire.HEADER_BYTES or value[0] != wire.MAGIC
    else:
        assert wire.encode(schema_id, avro) == value


@pytest.mark.parametrize("schema_id", [-1, 2**32])
def test_an_id_must_fit_into_the_header(schema_id: int) -> None:
    with pytest.raises(ValueError, match="schema id"):
        wire.encode(schema_id, b"")
