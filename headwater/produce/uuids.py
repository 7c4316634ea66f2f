"""Random UUIDs by the thousand."""

from __future__ import annotations

import numpy as np


def random_uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Return random UUIDs (version 4)."""
    text = rng.bytes(16 * count).hex()
    found = []
    for at in range(0, 32 * count, 32):
        h = text[at : at + 32]
        variant = "89ab"[int(h[16], 16) & 3]
        found.append(f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{variant}{h[17:20]}-{h[20:]}")
    return found
