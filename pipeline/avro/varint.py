"""Reading Avro's variable-length integers. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.native import compiled


@compiled
def read_long(data: Any, pos: int, end: int) -> Any:
    """Return an Avro long and where it ended, or (0, -1)."""
    result = np.uint64(0)
    shift = np.uint64(0)
    for _ in range(10):
        if pos >= end:
            return np.int64(0), -1
        byte = data[pos]
        pos += 1
        result |= np.uint64(byte & 0x7F) << shift
        if byte < 0x80:
            if shift == 63 and byte > 1:
                return np.int64(0), -1
            half = np.int64(result >> np.uint64(1))
            return half ^ -np.int64(result & np.uint64(1)), pos
        shift += np.uint64(7)
    return np.int64(0), -1
