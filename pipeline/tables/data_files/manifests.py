"""Which manifests of a table are merged: small ones with small ones, so that old ones stay as they are. Pure.

Files come in the order of time, and so do the manifests that name them. Merged with none but their like, each
covers some adjoining hours: who looks for the newest opens the newest manifests, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SIZES = (128 * 2**10, 2**20, 8 * 2**20)
"""What manifests are merged into, in bytes: some 300 files, then eight times as many, and again."""
LEAST = 8
"""Manifests of the larger sizes are merged from so many on."""


def size_class(length: int) -> int:
    """Return the place in `SIZES` of what a manifest of `length` bytes is merged into; its end if nothing."""
    return next((at for at, size in enumerate(SIZES) if length < size // 2), len(SIZES))


def due_merges(lengths: Iterable[int], least: int) -> Mapping[int, int]:
    """Return size classes whose manifests are to be merged, each with the bytes that they become.

    `least` is from how many on the smallest ones are. Of the larger there are never more than `LEAST`, but
    for the largest.
    """
    counts = [0] * (len(SIZES) + 1)
    for length in lengths:
        counts[size_class(length)] += 1
    return {
        at: size for at, size in enumerate(SIZES) if counts[at] >= (least if at == 0 else LEAST)
    }
