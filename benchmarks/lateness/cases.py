"""The cases that are simulated: streams, and the late policies tried on them."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from benchmarks.lateness.curve import CURVES, STREAMING, drawn
from benchmarks.lateness.document import LOOKBACK_H, Case
from benchmarks.lateness.simulate import SESSIONS, TABLES, lookback, planned
from pipeline.batch.planning.staleness import late_wait
from pipeline.clock import HOUR
from pipeline.contract.load import load_products
from pipeline.contract.model import LatePolicy, Product
from pipeline.settings import load_settings

SIZES = (20_000, 200_000, 2_000_000)
USUAL = 200_000
POLICIES = (
    (0.01, 1.0),
    (0.01, 6.0),
    (0.01, 12.0),
    (0.01, 24.0),
    (0.01, 72.0),
    (0.01, 96.0),
    (0.05, 96.0),
)
"""Share, and wait in hours."""
SEED = 1


@dataclass(frozen=True)
class Job:
    """One case to simulate."""

    curve: str
    events: int
    hours: int
    share: float
    wait_h: float


def jobs(hours: int) -> list[Job]:
    """Return the cases: all sizes on the streaming curve, one size on the others."""
    streams = [(STREAMING.name, events) for events in SIZES]
    streams += [(curve.name, USUAL) for curve in CURVES if curve is not STREAMING]
    own = contract_policy(viewing())
    policies = sorted({*POLICIES, own})
    return [Job(*stream, hours, *policy) for stream in streams for policy in policies]


def simulate(job: Job) -> Case:
    """Return what a case took. The same job gives the same case."""
    product = viewing()
    curve = next(one for one in CURVES if one.name == job.curve)
    lateness_h, gate_h = bounds(product)
    shares = curve.arrivals(lateness_h, gate_h)
    arrivals = drawn(shares, job.events, job.hours, np.random.default_rng(SEED))
    policy = LatePolicy(share=job.share, wait_s=job.wait_h * 3_600)
    tables = tuple(
        table.model_copy(update={"late": policy})
        for table in product.derived_tables
        if table.name in TABLES
    )
    case = Case(
        curve=job.curve,
        events=job.events,
        share=job.share,
        wait_h=job.wait_h,
        contract=(job.share, job.wait_h) == contract_policy(product),
        tables=planned(product.model_copy(update={"derived_tables": tables}), arrivals, SEED),
        lookback=lookback(arrivals, LOOKBACK_H),
        whole_lookback=lookback(arrivals, arrivals.shape[1]),
    )
    sys.stderr.write(f"{job}\n")
    return case


def viewing() -> Product:
    """Return the product whose planner is put to the test."""
    products = load_products(load_settings().contracts)
    return next(product for product in products if product.name == "viewing_events")


def contract_policy(product: Product) -> tuple[float, float]:
    """Return the late policy (share, hours) that the contract of sessions states."""
    table = next(table for table in product.derived_tables if table.name == SESSIONS)
    return table.late.share, late_wait(product, table) / HOUR


def bounds(product: Product) -> tuple[float, float]:
    """Return how many hours after its end an hour is closed, and how late an event may be at most."""
    return product.allowed_lateness_s / 3_600, (product.gates.late_s or 0.0) / 3_600
