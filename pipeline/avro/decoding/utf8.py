"""Whether bytes are UTF-8. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.native import compiled


@compiled
def is_utf8(source: Any, pos: int, end: int) -> bool:
    """Return whether source[pos:end] is UTF-8 as the Unicode Standard defines it (table 3-7)."""
    seen = np.uint8(0)
    # Most text is ASCII. No branch, no sign and nothing wider than a byte, so that it becomes vector
    # instructions: a tenth of the time.
    for k in range(np.uint64(pos), np.uint64(end)):
        seen = np.uint8(seen | source[k])
    if seen < 0x80:
        return True
    while pos < end:
        lead = source[pos]
        if lead < 0x80:
            pos += 1
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= lead <= 0xDF:
            more = 1
        elif 0xE0 <= lead <= 0xEF:
            more = 2
            if lead == 0xE0:
                low = 0xA0
            elif lead == 0xED:
                high = 0x9F
        elif 0xF0 <= lead <= 0xF4:
            more = 3
            if lead == 0xF0:
                low = 0x90
            elif lead == 0xF4:
                high = 0x8F
        else:
            return False
        if pos + more >= end:
            return False
        if source[pos + 1] < low or source[pos + 1] > high:
            return False
        for k in range(2, more + 1):
            if source[pos + k] < 0x80 or source[pos + k] > 0xBF:
                return False
        pos += more + 1
    return True
