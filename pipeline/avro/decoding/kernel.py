"""The loop that runs decoding programs over the values of a batch. Compiled.

Accepts less than Avro allows, never more: a value it does not vouch for is marked `UNREADABLE`, and
the caller asks a general Avro library what it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.avro.decoding import ops as op
from pipeline.avro.decoding.utf8 import is_utf8
from pipeline.avro.decoding.values import distinct, put_decimal, put_null, put_view, room
from pipeline.avro.kinds import CURSOR, PLACE, VALID
from pipeline.avro.varint import read_long
from pipeline.native import compiled

# Constants of their own: the compiler takes module globals as they are.
END, FAIL, JUMP, UNION, INTEGER, BOOLEAN = (
    op.END,
    op.FAIL,
    op.JUMP,
    op.UNION,
    op.INTEGER,
    op.BOOLEAN,
)
FLOAT, DOUBLE, INTEGER_AS_FLOAT, BYTES = op.FLOAT, op.DOUBLE, op.INTEGER_AS_FLOAT, op.BYTES
FIXED, DECIMAL, ENUM, NULL, PRESENT = op.FIXED, op.DECIMAL, op.ENUM, op.NULL, op.PRESENT
ITEMS, REPEAT, CONSTANT, BACK = op.ITEMS, op.REPEAT, op.CONSTANT, op.BACK
SKIP_LONG, SKIP_BYTES, SKIP_FIXED = op.SKIP_LONG, op.SKIP_BYTES, op.SKIP_FIXED
PAYLOAD, VERSION, MAX_DEPTH = op.PAYLOAD, op.VERSION, op.MAX_DEPTH

READ = 0
UNREADABLE = 1
UNKNOWN_SCHEMA = 2
UNKNOWN_VERSION = 3
"""What became of each value."""

_BAD = -1


@compiled
def decode(
    data: Any,
    shift: int,
    starts: Any,
    lengths: Any,
    program: Any,
    tables: Any,
    schema_ids: Any,
    schema_programs: Any,
    versions: Any,
    version_programs: Any,
    enveloped: bool,
    payload_limit: int,
    nodes: Any,
    numbers: Any,
    slots: Any,
    valid: Any,
    status: Any,
    detail: Any,
    row_of: Any,
) -> Any:
    """Decode each value; return (rows, -1), or (-1, the node whose room is too small).

    The programs' constants stand in `data` from `shift` on. `nodes[:, CURSOR]` tells how many values
    each node got. `detail` holds the unknown schema id or version where `status` says so; for values
    that are read it holds the payload's version, or the schema id without an envelope. `row_of` lists
    the values that were read, in order.
    """
    rows = 0
    count = nodes.shape[0]
    saved = np.empty(count, np.int64)
    stack = np.empty((MAX_DEPTH, 2), np.int64)
    doubles = np.empty(1, np.float64)
    singles = doubles.view(np.float32)
    bits_of_double = doubles.view(np.int64)
    bits_of_single = doubles.view(np.int32)
    last_id, last_start = -1, -1
    for i in range(starts.shape[0]):
        pos = starts[i]
        end = pos + lengths[i]
        status[i] = UNREADABLE
        if end - pos < 5 or data[pos] != 0:
            continue
        schema_id = int(
            (np.int64(data[pos + 1]) << 24)
            | (np.int64(data[pos + 2]) << 16)
            | (np.int64(data[pos + 3]) << 8)
            | np.int64(data[pos + 4])
        )
        pos += 5
        if schema_id != last_id:
            last_id, last_start = schema_id, -1
            for k in range(schema_ids.shape[0]):
                if schema_ids[k] == schema_id:
                    last_start = schema_programs[k]
        detail[i] = schema_id
        if last_start < 0:
            status[i] = UNKNOWN_SCHEMA
            continue
        if not enveloped and end - pos > payload_limit:
            continue
        for k in range(count):
            saved[k] = nodes[k, CURSOR]
        pc = last_start
        phase = depth = 0
        back_pos, back_end = pos, end
        payload, payload_size, version = -1, 0, 0
        while True:
            code = program[pc, 0]
            node = program[pc, 1]
            if code == INTEGER or code == VERSION or code == INTEGER_AS_FLOAT:
                value, pos = read_long(data, pos, end)
                if pos < 0:
                    pos = _BAD
                    break
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                if code == INTEGER_AS_FLOAT:
                    if program[pc, 2] == 1:
                        doubles[0] = value
                        numbers[nodes[node, PLACE] + at] = bits_of_double[0]
                    else:
                        singles[0] = np.float32(value)
                        numbers[nodes[node, PLACE] + at] = bits_of_single[0]
                else:
                    if value < program[pc, 4] or value > program[pc, 5]:
                        pos = _BAD
                        break
                    if code == VERSION:
                        version = value
                        numbers[nodes[node, PLACE] + at] = value
                    else:
                        numbers[nodes[node, PLACE] + at] = value * program[pc, 2]
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pc += 1
            elif code == BYTES:
                size, pos = read_long(data, pos, end)
                if pos < 0 or size < 0 or size > end - pos:
                    pos = _BAD
                    break
                if program[pc, 2] == 1 and not is_utf8(data, pos, pos + size):
                    pos = _BAD
                    break
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                put_view(slots, nodes[node, PLACE] + at, data, pos, size)
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pos += size
                pc += 1
            elif code == UNION:
                # One byte, but for unions of more than 64 branches, which are not vouched for.
                if pos >= end or data[pos] & 0x81 or data[pos] >> 1 >= node:
                    pos = _BAD
                    break
                pc = tables[program[pc, 2] + (data[pos] >> 1)]
                pos += 1
            elif code == JUMP:
                pc = node
            elif code == NULL:
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                put_null(nodes, node, at, program[pc, 2], program[pc, 3], numbers, slots)
                valid[nodes[node, VALID] + at] = 0
                nodes[node, CURSOR] = at + 1
                pc += 1
            elif code == BOOLEAN:
                if pos >= end or data[pos] > 1:
                    pos = _BAD
                    break
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                numbers[nodes[node, PLACE] + at] = data[pos]
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pos += 1
                pc += 1
            elif code == FLOAT or code == DOUBLE:
                size = 4 if code == FLOAT else 8
                if end - pos < size:
                    pos = _BAD
                    break
                bits = np.int64(0)
                for k in range(size):
                    bits |= np.int64(data[pos + k]) << (8 * k)
                if code == FLOAT and program[pc, 2] == 1:
                    bits_of_single[0] = bits
                    doubles[0] = singles[0]
                    bits = bits_of_double[0]
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                numbers[nodes[node, PLACE] + at] = bits
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pos += size
                pc += 1
            elif code == ENUM:
                symbol, pos = read_long(data, pos, end)
                if pos < 0 or symbol < 0 or symbol >= program[pc, 3]:
                    pos = _BAD
                    break
                place = tables[program[pc, 2] + 2 * symbol]
                if place < 0:
                    pos = _BAD
                    break
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                size = tables[program[pc, 2] + 2 * symbol + 1]
                put_view(slots, nodes[node, PLACE] + at, data, place + shift, size)
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pc += 1
            elif code == FIXED:
                size = program[pc, 2]
                if size > end - pos:
                    pos = _BAD
                    break
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                put_view(slots, nodes[node, PLACE] + at, data, pos, size)
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pos += size
                pc += 1
            elif code == DECIMAL:
                size = program[pc, 2]
                if size < 0:
                    size, pos = read_long(data, pos, end)
                    if pos < 0 or size < 0:
                        pos = _BAD
                        break
                if size > end - pos or size < 1:
                    pos = _BAD
                    break
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                if not put_decimal(
                    slots, nodes[node, PLACE] + at, data, pos, size, tables, program[pc, 3]
                ):
                    pos = _BAD
                    break
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pos += size
                pc += 1
            elif code == PRESENT:
                at = room(nodes, node)
                if at < 0:
                    return -1, node
                valid[nodes[node, VALID] + at] = 1
                nodes[node, CURSOR] = at + 1
                pc += 1
            elif code == ITEMS or code == REPEAT:
                if code == ITEMS:
                    stack[depth, 0] = 0
                    if node >= 0:
                        stack[depth, 1] = nodes[program[pc, 3], CURSOR]
                    depth += 1
                else:
                    pc = node
                    node = program[pc, 1]
                if stack[depth - 1, 0] == 0:
                    items, pos = read_long(data, pos, end)
                    if pos < 0:
                        pos = _BAD
                        break
                    if items < 0:
                        items = -items
                        size, pos = read_long(data, pos, end)
                        if pos < 0 or size < 0:
                            pos = _BAD
                            break
                    # An item takes a byte at least; those that take none are not vouched for.
                    if items < 0 or items > end - pos:
                        pos = _BAD
                        break
                    stack[depth - 1, 0] = items
                if stack[depth - 1, 0] > 0:
                    stack[depth - 1, 0] -= 1
                    pc += 1
                else:
                    depth -= 1
                    if node >= 0:
                        at = room(nodes, node)
                        if at < 0:
                            return -1, node
                        child = program[pc, 3]
                        if program[pc, 4] == 1 and not distinct(
                            slots,
                            nodes[child, PLACE] + stack[depth, 1],
                            nodes[child, PLACE] + nodes[child, CURSOR],
                            data,
                        ):
                            pos = _BAD
                            break
                        numbers[nodes[node, PLACE] + at] = nodes[child, CURSOR]
                        valid[nodes[node, VALID] + at] = 1
                        nodes[node, CURSOR] = at + 1
                    pc = program[pc, 2]
            elif code == SKIP_LONG:
                _, pos = read_long(data, pos, end)
                if pos < 0:
                    pos = _BAD
                    break
                pc += 1
            elif code == SKIP_BYTES or code == PAYLOAD:
                size, pos = read_long(data, pos, end)
                if pos < 0 or size < 0 or size > end - pos:
                    pos = _BAD
                    break
                if code == PAYLOAD:
                    payload = pos
                    payload_size = size
                pos += size
                pc += 1
            elif code == SKIP_FIXED:
                if program[pc, 2] > end - pos:
                    pos = _BAD
                    break
                pos += program[pc, 2]
                pc += 1
            elif code == CONSTANT:
                back_pos, back_end = pos, end
                pos = node + shift
                end = pos + program[pc, 2]
                pc += 1
            elif code == BACK:
                pos, end = back_pos, back_end
                pc += 1
            elif code == END:
                if pos != end:
                    pos = _BAD
                    break
                if phase == 1 or not enveloped:
                    break
                # The envelope is read: on to its payload, by the program of its version.
                phase = 1
                detail[i] = version
                if payload < 0 or payload_size > payload_limit:
                    pos = _BAD
                    break
                pc = -1
                for k in range(versions.shape[0]):
                    if versions[k] == version:
                        pc = version_programs[k]
                if pc < 0:
                    status[i] = UNKNOWN_VERSION
                    pos = _BAD
                    break
                pos = payload
                end = payload + payload_size
            else:
                pos = _BAD
                break
        if pos == end:
            status[i] = READ
            row_of[rows] = i
            rows += 1
        else:
            for k in range(count):
                nodes[k, CURSOR] = saved[k]
    return rows, -1
