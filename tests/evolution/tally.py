"""What the suite compared, told at its end."""

from __future__ import annotations

from collections import Counter

TALLY: Counter[str] = Counter()
