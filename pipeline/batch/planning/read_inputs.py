"""Reading what a plan of hourly builds is made from: hours, ledger and publications, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from pipeline.batch.planning.settle import HoursLook, look_again, reach
from pipeline.batch.planning.staleness import PlanInputs
from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock, hour_of, utc_now
from pipeline.contract.model import Product
from pipeline.control.publications import HourSpan, read_recorded
from pipeline.hours.read import read_hour_states
from pipeline.hours.settled import SettledStore
from pipeline.hours.states import HourStates
from pipeline.ledger.read import read_ledger
from pipeline.state.open import open_state

StatesReader = Callable[[Cell, Product, Clock, Iterable[datetime], datetime | None], HourStates]
"""Reads the states of hours: `read_hour_states`, which asks the cell's Kafka, or another of its kind."""


def read_plan_inputs(
    cell: Cell,
    product: Product,
    *,
    hours: Iterable[datetime] | None = None,
    clock: Clock = utc_now,
    read_states: StatesReader = read_hour_states,
) -> PlanInputs:
    """Read what `plan_hours` needs; `hours` are looked at whether they have rows or not.

    Read are the hours that are not settled (`look_at_hours`), or those from the first of `hours` on; and of
    the ledger what came after its closed balance. Places the fences that are due; starts no Spark. Raises
    what `read_hour_states` and `read_ledger` raise.
    """
    chosen = tuple(hours or ())
    if chosen:
        look = _look(cell, product, clock, read_states, min(chosen), chosen)
    else:
        look = look_at_hours(cell, product, clock=clock, read_states=read_states)
    ledger = read_ledger(cell, product, last=0)
    return replace(
        look.inputs,
        balanced=ledger.balanced,
        unexplained=ledger.unexplained,
        rows_unaccounted=ledger.rows_unaccounted,
    )


def look_at_hours(
    cell: Cell,
    product: Product,
    *,
    back_to: datetime | None = None,
    clock: Clock = utc_now,
    read_states: StatesReader = read_hour_states,
) -> HoursLook:
    """Look at the hours that are not settled, or at those from `back_to` on if these are more.

    What is settled is kept in the cell's `state.db`, and looked at again only if rows have come to it (or
    gone), something of it was published, or the contract's tables are others: then all hours are read, once.
    Raises what `read_hour_states` raises.
    """
    store = SettledStore(open_state(cell))
    settled = store.read(product.name)
    look, found = look_again(
        product, settled, lambda since: _look(cell, product, clock, read_states, since), back_to
    )
    if look.states.snapshot_id is not None and found != settled:
        store.keep(product.name, found)
    return look


def look_at_last_hours(
    cell: Cell,
    product: Product,
    last: int,
    *,
    clock: Clock = utc_now,
    read_states: StatesReader = read_hour_states,
) -> HoursLook:
    """Look at the `last` hours and at those that are not settled, as `look_at_hours`.

    At all, where there are fewer of the last hours of the clock: those of a history lie apart.
    """
    back_to = hour_of(clock()) - last * HOUR
    look = look_at_hours(cell, product, back_to=back_to, clock=clock, read_states=read_states)
    if look.since is None or len(look.hours) >= last:
        return look
    return _look(cell, product, clock, read_states, None)


def look_at_all_hours(cell: Cell, product: Product, *, clock: Clock = utc_now) -> HoursLook:
    """Look at every hour there is; as `look_at_hours`."""
    return _look(cell, product, clock, read_hour_states, None)


def nothing_to_look_at(cell: Cell, product: Product, *, clock: Clock = utc_now) -> HoursLook:
    """Return what a look would find before the first commit of events."""
    states = HourStates(product.name, cell.name, None, clock(), ())
    return HoursLook(None, states, (), 0, PlanInputs.of(states, ()))


def _look(
    cell: Cell,
    product: Product,
    clock: Clock,
    read_states: StatesReader,
    since: datetime | None,
    also: Iterable[datetime] = (),
) -> HoursLook:
    first = None if since is None else since - reach(product)
    states = read_states(cell, product, clock, also, first)
    recorded = read_recorded(cell, product.name, HourSpan(first))
    inputs = PlanInputs.of(states, recorded.publications, since=since)
    return HoursLook(since, states, recorded.publications, recorded.total, inputs)
