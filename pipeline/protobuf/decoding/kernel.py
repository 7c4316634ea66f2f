"""The loop that reads messages into nodes. Compiled.

Accepts less than Protobuf allows, never more: a value that it does not vouch for is marked `UNREADABLE`, and
the caller asks Google's library what it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.avro.decoding import kernel
from pipeline.avro.decoding.values import put_null, same
from pipeline.avro.kinds import CAPACITY, CURSOR, KIND, PLACE, SLOT, VALID
from pipeline.native import compiled
from pipeline.protobuf.decoding import tables as t
from pipeline.protobuf.decoding.put import finish_level, put_value
from pipeline.protobuf.decoding.wire import (
    read_path,
    read_size,
    read_varint,
    skip,
)

NUMBER, WIRE, OP, REPEATED, ENTRY, NODE = t.NUMBER, t.WIRE, t.OP, t.REPEATED, t.ENTRY, t.NODE
A, B, LOW, ONEOF = t.A, t.B, t.LOW, t.ONEOF
E_ABSENT, THERE = t.E_ABSENT, t.THERE
FIRST_ENTRY, LAST_ENTRY, FIRST_ONEOF, LAST_ONEOF = (
    t.FIRST_ENTRY,
    t.LAST_ENTRY,
    t.FIRST_ONEOF,
    t.LAST_ONEOF,
)
TEXT, INSTANT, RECORD, WRAPPER, ITEM, SKIP = (
    t.TEXT,
    t.INSTANT,
    t.RECORD,
    t.WRAPPER,
    t.ITEM,
    t.SKIP,
)
MAX_DEPTH = t.MAX_DEPTH
READ, UNREADABLE, UNKNOWN = kernel.READ, kernel.UNREADABLE, kernel.UNKNOWN_SCHEMA
MOST_TAG_BYTES = 5
FRAMING_BYTES = 6
"""At least: a zero, an id, and the indexes of a message."""


@compiled
def decode(
    data: Any,
    shift: int,
    starts: Any,
    lengths: Any,
    ids: Any,
    paths: Any,
    roots: Any,
    limit: int,
    messages: Any,
    fields: Any,
    levels: Any,
    entries: Any,
    symbols: Any,
    powers: Any,
    nodes: Any,
    numbers: Any,
    slots: Any,
    valid: Any,
    status: Any,
    schema_ids: Any,
    path_of: Any,
    row_of: Any,
) -> Any:
    """Decode each value; return (rows, -1), or (-1, the node whose room is too small).

    `ids`, `paths` and `roots` say which message and level (the columns of `roots`) the values of a schema
    begin with. Constants stand in `data` from `shift` on. `schema_ids` and `path_of` get what framings say.
    """
    rows = 0
    count = nodes.shape[0]
    saved = np.empty(count, np.int64)
    seen = np.zeros(len(entries) + 1, np.int64)
    chosen = np.zeros(max(1, levels[:, LAST_ONEOF].max() if len(levels) else 1), np.int64)
    stack = np.empty((MAX_DEPTH, 4), np.int64)
    doubles, singles = np.empty(1, np.float64), np.empty(1, np.float32)
    last_id, last_path, root = np.int64(-1), np.int64(-1), -1
    for i in range(starts.shape[0]):
        pos, end = starts[i], starts[i] + lengths[i]
        status[i] = UNREADABLE
        schema_ids[i] = path_of[i] = 0
        if end - pos < FRAMING_BYTES or data[pos] != 0:
            continue
        schema_id = np.int64(0)
        for k in range(1, 5):
            schema_id = schema_id << 8 | np.int64(data[pos + k])
        path, pos = read_path(data, pos + 5, end)
        schema_ids[i] = schema_id
        if pos < 0:
            continue
        path_of[i] = path
        if schema_id != last_id or path != last_path:
            last_id, last_path, root = schema_id, path, -1
            for k in range(len(ids)):
                if ids[k] == schema_id and paths[k] == path:
                    root = k
        if root < 0:
            status[i] = UNKNOWN
            continue
        if end - pos > limit or roots[root, 0] < 0:
            continue
        for k in range(count):
            saved[k] = nodes[k, CURSOR]
        full = read_message(
            data, shift, pos, end, roots[root, 0], roots[root, 1], messages, fields, levels, entries,
            symbols, powers, nodes, numbers, slots, valid, seen, chosen, stack, doubles, singles,
        )  # fmt: skip
        if full <= -2:
            return -1, -2 - full
        if full == 0:
            status[i] = READ
            row_of[rows] = i
            rows += 1
        else:
            for k in range(count):
                nodes[k, CURSOR] = saved[k]
    return rows, -1


@compiled
def begin_level(levels: Any, level: int, entries: Any, seen: Any, chosen: Any) -> None:
    """Begin a row or an item, of which nothing was seen."""
    for e in range(levels[level, FIRST_ENTRY], levels[level, LAST_ENTRY]):
        seen[e] = 1 if entries[e, E_ABSENT] == THERE else 0
    for o in range(levels[level, FIRST_ONEOF], levels[level, LAST_ONEOF]):
        chosen[o] = 0


@compiled
def find_field(fields: Any, first: int, last: int, number: int, hint: int) -> int:
    """Return the row of a field, looked for from `hint` on; -1 for none."""
    for k in range(hint, last):
        if fields[k, NUMBER] == number:
            return k
    for k in range(first, hint):
        if fields[k, NUMBER] == number:
            return k
    return -1


@compiled
def is_new(slots: Any, numbers: Any, nodes: Any, node: int, first: int, data: Any) -> bool:
    """Return whether a node's last value differs from all since `first`."""
    last = nodes[node, CURSOR] - 1
    place = nodes[node, PLACE]
    # As many as a loop over all before is no burden for.
    if last - first > 64:
        return False
    for k in range(first, last):
        if nodes[node, KIND] == SLOT:
            if same(slots, (place + k) * 4, (place + last) * 4, data):
                return False
        elif numbers[place + k] == numbers[place + last]:
            return False
    return True


@compiled
def read_message(
    data: Any, shift: int, pos: int, end: int, message: int, level: int,
    messages: Any, fields: Any, levels: Any, entries: Any, symbols: Any, powers: Any,
    nodes: Any, numbers: Any, slots: Any, valid: Any,
    seen: Any, chosen: Any, stack: Any, doubles: Any, singles: Any,
) -> int:  # fmt: skip
    """Read one message as a row; return 0, -1 if it is not vouched for, -2 - node where there is no room."""
    # Of each message within the others: its end, itself, its level or -1, and the field it was found by.
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = end, message, level, -1
    first, last = messages[message, 0], messages[message, 1]
    depth, hint = 0, first
    begin_level(levels, level, entries, seen, chosen)
    while True:
        if pos == end:
            level = stack[depth, 2]
            if level >= 0:
                done = finish_level(
                    levels, level, entries, seen, data, shift, nodes, numbers, slots, valid
                )
                if done != 0:
                    return done
            if depth == 0:
                return 0
            row = stack[depth, 3]
            if level >= 0 and fields[row, LOW] >= 0:
                # The list ends, so far, where the items of the row before it do: its keys begin there.
                key, node = fields[row, LOW], fields[row, NODE]
                at = nodes[node, CURSOR]
                since = numbers[nodes[node, PLACE] + at - 1] if at > 0 else 0
                if not is_new(slots, numbers, nodes, key, since, data):
                    return -1
            depth -= 1
            hint = row
            end, message = stack[depth, 0], stack[depth, 1]
            first, last = messages[message, 0], messages[message, 1]
            continue
        begin = pos
        tag, pos = read_varint(data, pos, end)
        if pos < 0 or pos - begin > MOST_TAG_BYTES or tag < 8 or tag >= 1 << 32:
            return -1
        number, wire = tag >> 3, tag & 7
        row = find_field(fields, first, last, number, hint)
        if row < 0:
            pos = skip(data, pos, end, wire)
            if pos < 0:
                return -1
            continue
        hint = row
        oneof, entry, op = fields[row, ONEOF], fields[row, ENTRY], fields[row, OP]
        if oneof >= 0:
            if chosen[oneof] != 0 and chosen[oneof] != number:
                return -1
            chosen[oneof] = number
        packed = wire == 2 and fields[row, REPEATED] == 1 and fields[row, WIRE] != 2
        if wire != fields[row, WIRE] and not packed:
            return -1
        if op == SKIP:
            pos = skip(data, pos, end, wire)
            if pos < 0:
                return -1
        elif op >= RECORD:
            size, pos = read_size(data, pos, end)
            depth += 1
            if pos < 0 or depth >= MAX_DEPTH:
                return -1
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = pos + size, fields[row, A], -1
            stack[depth, 3] = row
            end = pos + size
            first, last = messages[fields[row, A], 0], messages[fields[row, A], 1]
            hint = first
            if op == ITEM:
                stack[depth, 2] = fields[row, B]
                begin_level(levels, fields[row, B], entries, seen, chosen)
            elif op == WRAPPER:
                # What it holds is Protobuf's default unless it says more.
                if seen[entry] == 0:
                    node = fields[row, NODE]
                    if fields[row, B] == 0 or nodes[node, CURSOR] >= nodes[node, CAPACITY]:
                        return -1
                    put_null(
                        nodes, node, nodes[node, CURSOR], nodes[node, KIND], -1, numbers, slots
                    )
                    seen[entry] = 1
            else:
                seen[entry] = 1
        elif fields[row, REPEATED] == 1:
            stop = end
            if packed:
                size, pos = read_size(data, pos, end)
                if pos < 0:
                    return -1
                stop = pos + size
            node = fields[row, NODE]
            while True:
                if packed and pos == stop:
                    break
                at = nodes[node, CURSOR]
                if at >= nodes[node, CAPACITY]:
                    return -2 - node  # type: ignore[no-any-return]
                place = nodes[node, PLACE] + at
                pos = put_value(
                    data, shift, pos, stop, fields,
                    row, symbols, powers, place, numbers, slots,
                    doubles, singles,
                )  # fmt: skip
                if pos < 0:
                    return -1
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                if not packed:
                    break
        else:
            node = fields[row, NODE]
            at = nodes[node, CURSOR]
            if at >= nodes[node, CAPACITY]:
                return -2 - node  # type: ignore[no-any-return]
            # Two halves of an instant make one: left to a general reader.
            if op == INSTANT and seen[entry] == 1:
                return -1
            place = nodes[node, PLACE] + at
            pos = put_value(
                data, shift, pos, end, fields,
                    row, symbols, powers, place, numbers, slots, doubles,
                singles,
            )  # fmt: skip
            if pos < 0:
                return -1
            seen[entry] = 1
