"""Bytes gathered one after the other, in memory of a fixed size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kafka.uncompressed import UncompressedRecords

ROOM = 16


@given(st.lists(st.binary(max_size=ROOM + 4)))
def test_all_that_there_is_room_for_is_there_as_it_came(pieces: list[bytes]) -> None:
    uncompressed = UncompressedRecords(ROOM)
    taken: list[bytes] = []
    for piece in pieces:
        if uncompressed.has_room(len(piece)):
            uncompressed.add(piece)
            taken.append(piece)
            assert len(taken) == 1 or sum(map(len, taken)) <= max(ROOM, len(taken[0]))
        else:
            assert sum(map(len, taken)) + len(piece) > ROOM
            with pytest.raises(ValueError, match="no room"):
                uncompressed.add(piece)
    assert uncompressed.data.tobytes() == b"".join(taken)
    assert uncompressed.sizes == [len(piece) for piece in taken]


def test_what_was_there_is_not_changed_by_what_comes_after() -> None:
    uncompressed = UncompressedRecords(ROOM)
    uncompressed.add(b"first")
    before = uncompressed.data
    uncompressed.add(memoryview(b"second"))
    assert before.tobytes() == b"first"
