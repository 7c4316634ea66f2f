"""What the suite compared, told at its end."""

from __future__ import annotations

from tests.support.counts import COUNTS

TALLY = COUNTS["evolution"]
