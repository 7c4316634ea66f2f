"""The instructions of a decoding program, one row of `WIDTH` integers each: op, a, b, c, low, high.

Numbers, not an enum: the kernel takes them as constants.
"""

from __future__ import annotations

WIDTH = 6

END = 0
"""The value ends here."""
FAIL = 1
"""No value of this writer's schema can be read from here on."""
JUMP = 2
"""Go on at instruction a."""
UNION = 3
"""A branch number below a; go on at the instruction in tables[b + branch]."""
INTEGER = 4
"""An int or long within low..high, times b, into node a."""
BOOLEAN = 5
"""One byte, 0 or 1, into node a."""
FLOAT = 6
"""4 bytes into node a, as they are, or as a double where b is 1."""
DOUBLE = 7
"""8 bytes into node a."""
INTEGER_AS_FLOAT = 8
"""An int or long into node a as a float, or as a double where b is 1."""
BYTES = 9
"""A length and bytes into node a; UTF-8 where b is 1."""
FIXED = 10
"""b bytes into node a."""
DECIMAL = 11
"""An unscaled big-endian number of b bytes, or of a length first where b is -1, into node a.

Below 10 to the power of c.
"""
ENUM = 12
"""A symbol's number below c; its text's place and length in `constants` are tables[b + 2 * number]."""
NULL = 13
"""Nothing is read; node a is null, and b is its kind."""
PRESENT = 14
"""Nothing is read; struct a is there."""
ITEMS = 15
"""Blocks of items into list a, or nowhere where it is -1; items follow up to their REPEAT.

b is where to go on; c is the list's first child; low is 1 for a map.
"""
REPEAT = 16
"""The end of an item of the ITEMS at instruction a."""
CONSTANT = 17
"""Read from place a of `constants`, b bytes long, until BACK."""
BACK = 18
"""Read from the record again."""
SKIP_LONG = 19
SKIP_BYTES = 20
SKIP_FIXED = 21
"""b bytes."""
PAYLOAD = 22
"""A length and bytes, which another program reads afterwards."""
VERSION = 23
"""An int or long: which program reads the payload. Also into node a."""

MAX_DEPTH = 16
"""Lists within lists."""
