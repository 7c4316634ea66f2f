"""What the decoder tests compared, for the summary."""

from __future__ import annotations

from tests.support.counts import COUNTS

TALLY = COUNTS["decoder"]
