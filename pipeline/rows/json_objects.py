"""Values that are one JSON object each, brought to lines of their own. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.avro.decoding.utf8 import is_utf8
from pipeline.native import compiled

MAX_DEPTH = 64
"""Objects and arrays within each other; what is deeper is left to whoever reads values one by one."""
FRAME_BYTES = 5
"""Of Confluent's framing, which begins with a zero byte, as no JSON does."""

_QUOTE, _BACKSLASH, _SPACE, _TAB, _NEWLINE, _RETURN = 0x22, 0x5C, 0x20, 0x09, 0x0A, 0x0D
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
_STRIDE = 16


@compiled
def copy_objects(data: Any, starts: Any, lengths: Any, limit: int, out: Any, ends: Any) -> None:
    """Copy each value that is framed as one JSON object to a line of `out`.

    `ends` tells where each value's line ends; it is empty of those that were left out. The others are UTF-8,
    with every string and bracket closed, nothing before or after, at most `limit` bytes without their
    framing, and no line breaks; what stands between is not looked at. `out` has room for all values and a
    byte more for each.
    """
    stack = np.empty(MAX_DEPTH, np.uint8)
    at = 0
    for row in range(len(starts)):
        pos, end = starts[row], starts[row] + lengths[row]
        ends[row] = at
        if lengths[row] > 0 and data[pos] == 0:
            pos += FRAME_BYTES
        if lengths[row] <= 0 or pos >= end or end - pos > limit or not is_utf8(data, pos, end):
            continue
        size = end - pos
        _copy(data, pos, out, at, size)
        shift = at - pos
        depth = 0
        in_string, seen, sound = False, False, True
        while pos < end and sound:
            if in_string:
                pos = _string_end(data, pos, end)
                if pos == end:
                    break
            byte = data[pos]
            if in_string:
                if byte == _BACKSLASH and pos + 1 < end:
                    pos += 1
                    byte = data[pos]
                elif byte == _QUOTE:
                    in_string = False
                sound = byte >= _SPACE
            elif byte == _SPACE or byte == _TAB or byte == _NEWLINE or byte == _RETURN:
                out[pos + shift] = _SPACE
            elif depth == 0 and (seen or byte != _OPEN_OBJECT):
                sound = False
            elif byte == _QUOTE:
                in_string = True
            elif byte == _OPEN_OBJECT or byte == _OPEN_ARRAY:
                sound = depth < MAX_DEPTH
                if sound:
                    stack[depth] = byte
                    depth += 1
                    seen = True
            elif byte == _CLOSE_OBJECT or byte == _CLOSE_ARRAY:
                depth -= 1
                # Of both pairs, what closes is two after what opens.
                sound = stack[depth] + 2 == byte
            else:
                sound = 0x20 < byte < 0x80
            pos += 1
        if sound and seen and depth == 0 and not in_string:
            at += size
            out[at] = _NEWLINE
            at += 1
            ends[row] = at


@compiled
def _copy(data: Any, pos: int, out: Any, at: int, size: int) -> None:
    for k in range(np.uint64(size)):
        out[np.uint64(at) + k] = data[np.uint64(pos) + k]


@compiled
def _string_end(data: Any, pos: int, end: int) -> int:
    """Return the first place from `pos` on at which a string does not simply go on; `end` for none."""
    while pos + _STRIDE <= end:
        stops = np.uint8(0)
        # No branch, so that it becomes vector instructions: most bytes are of long strings.
        for k in range(np.uint64(pos), np.uint64(pos + _STRIDE)):
            byte = data[k]
            stops |= (
                np.uint8(byte < _SPACE) | np.uint8(byte == _QUOTE) | np.uint8(byte == _BACKSLASH)
            )
        if stops:
            break
        pos += _STRIDE
    while pos < end and data[pos] >= _SPACE and data[pos] != _QUOTE and data[pos] != _BACKSLASH:
        pos += 1
    return pos
