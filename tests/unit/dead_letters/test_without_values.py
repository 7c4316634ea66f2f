"""Details of dead letters in reports that everybody reads."""

from __future__ import annotations

import pytest

from pipeline.dead_letters.look.without_values import without_values


@pytest.mark.parametrize(
    ("reason", "detail", "shown"),
    [
        ("undecodable", "name: 'Ann O\\'Hara' is not a number", "name: '…' is not a number"),
        ("undecodable", "name: \"Ann's\" is cut at 'the en", "name: '…' is cut at '…'"),
        ("out_of_range", "phone: 4915112345678 is too large", "phone: … is too large"),
        ("undecodable", "payload.at: 3 bytes wanted, 2 left", "payload.at: 3 bytes wanted, 2 left"),
        ("unknown_schema", "schema 4000000 is not registered", "schema 4000000 is not registered"),
        ("undecodable", "note: b'ann' is not UTF-8", "note: '…' is not UTF-8"),
        ("undecodable", "the producer's clock is fast", "the producer's clock is fast"),
        ("no_value", "the record has no value", "the record has no value"),
    ],
)
def test_neither_texts_nor_numbers_of_fields_are_shown(
    reason: str, detail: str, shown: str
) -> None:
    assert without_values(reason, detail) == shown
