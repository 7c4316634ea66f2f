"""Breaking bytes."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw `data` with up to three changes: bits flipped, bytes set, put in, taken out, cut off."""
    broken = bytearray(data)
    for _ in range(draw(st.integers(0, 3))):
        if not broken:
            break
        at = draw(st.integers(0, len(broken) - 1))
        match draw(st.sampled_from(["flip", "set", "insert", "delete", "cut"])):
            case "flip":
                broken[at] ^= 1 << draw(st.integers(0, 7))
            case "set":
                broken[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
            case "insert":
                broken[at:at] = draw(st.binary(min_size=1, max_size=4))
            case "delete":
                del broken[at : at + draw(st.integers(1, 4))]
            case _:
                del broken[at:]
    return bytes(broken)
