"""Which manifests are merged: few of each size, and large ones left alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables.data_files.manifests import LEAST, SIZES, due_merges, size_class

KB = 2**10


def test_small_ones_are_merged_once_there_are_enough_of_them() -> None:
    assert due_merges([6 * KB] * 49, 50) == {}
    assert due_merges([6 * KB] * 50, 50) == {0: SIZES[0]}


def test_what_was_merged_is_merged_again_with_its_like_alone() -> None:
    merged = [120 * KB] * LEAST
    assert due_merges([*merged[:-1], *[6 * KB] * 49], 50) == {}
    assert due_merges([*merged, *[6 * KB] * 49], 50) == {1: SIZES[1]}


def test_the_largest_are_never_merged() -> None:
    assert due_merges([5 * 2**20] * 1000, 2) == {}


@given(entries=st.lists(st.integers(400, 4000), max_size=3000))
def test_however_many_come_there_are_few_of_each_size(entries: list[int]) -> None:
    """Each entry brings a manifest, and whenever merges are due they are made."""
    held: list[int] = []
    for entry in entries:
        held.append(6 * KB + entry)
        for at, size in due_merges(held, 50).items():
            alike = [one for one in held if size_class(one) == at]
            held = [one for one in held if size_class(one) != at] + _packed(alike, size)
    counts = [sum(size_class(one) == at for one in held) for at in range(len(SIZES))]
    assert counts[0] < 50
    assert all(count < LEAST for count in counts[1:])


def _packed(lengths: list[int], size: int) -> list[int]:
    """Put adjoining ones together up to `size`, as Iceberg packs them."""
    found: list[int] = []
    for length in lengths:
        if found and found[-1] + length <= size:
            found[-1] += length
        else:
            found.append(length)
    return found
