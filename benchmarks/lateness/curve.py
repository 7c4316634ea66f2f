"""How late events arrive, and how many of an hour's events arrive by each look."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, log, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

STEPS = 240
"""Moments of an hour that its events are taken to happen at."""


@dataclass(frozen=True)
class Curve:
    """Delays from an event to its record, in hours: most are seconds, the rest log-normal.

    Attributes:
        delayed: share of events whose device was offline, or asleep; the others arrive at once.
        median_h, sigma: of the log-normal of those.
        source: where it is from, for readers.
    """

    name: str
    delayed: float
    median_h: float
    sigma: float
    source: str

    def share_within(self, hours: float) -> float:
        """Return which share of events arrives at most so late."""
        if hours <= 0:
            return 0.0
        late = 0.5 * (1 + erf(log(hours / self.median_h) / self.sigma / sqrt(2)))
        return 1 - self.delayed + self.delayed * late

    def arrivals(self, lateness_h: float, gate_h: float) -> Floats:
        """Return the share of an hour's events that arrives between each look and the one before.

        Looks are hourly, the first `lateness_h` after the hour's end. What is later than `gate_h` is a
        dead letter, not an event: shares are of the others, and their sum is 1.
        """
        moments = (np.arange(STEPS) + 0.5) / STEPS
        looks = int(gate_h) + 2
        kept = self.share_within(gate_h)
        by = [
            float(
                np.mean(
                    [
                        self.share_within(min(1 - at + lateness_h + look, gate_h)) / kept
                        for at in moments
                    ]
                )
            )
            for look in range(looks)
        ]
        return np.diff(np.array([0.0, *by]))


STREAMING = Curve(
    "streaming",
    delayed=0.001,
    median_h=4.0,
    sigma=1.5,
    source="players that are online while they play, as 999 of 1,000 are here; the others play what "
    "was downloaded, and tell of it hours later. Chosen, not measured.",
)
DOWNLOADS = Curve(
    "downloads",
    delayed=0.02,
    median_h=4.0,
    sigma=1.5,
    source="the same with one event of fifty from a download. Chosen, not measured.",
)
DESKTOP = Curve(
    "desktop",
    delayed=1.0,
    median_h=0.5,
    sigma=2.775,
    source="Firefox's telemetry: most of it within half an hour, 95 % within two days; a log-normal "
    "through both points. Measured: C. H-C., [Two Days, or How Long Until the Data Is In]"
    "(https://blog.mozilla.org/data/2017/09/19/two-days-or-how-long-until-the-data-is-in/), Mozilla "
    "2017, and [Client Delays]"
    "(https://chuttenblog.wordpress.com/2017/01/25/data-science-is-hard-client-delays/).",
)
CURVES = (STREAMING, DOWNLOADS, DESKTOP)


def drawn(shares: Floats, events: int, hours: int, rng: np.random.Generator) -> Counts:
    """Return events by hour (rows) and look (columns), `events` an hour."""
    return rng.multinomial(events, shares / shares.sum(), size=hours)
