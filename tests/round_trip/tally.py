"""What was compared, for the summary."""

from __future__ import annotations

from collections import Counter

TALLY: Counter[str] = Counter()
