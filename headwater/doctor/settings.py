"""The settings of a cell and its contracts: what every other check is made of."""

from __future__ import annotations

from headwater.cli.config.clients import client_faults
from headwater.cli.config.listing import list_settings
from headwater.doctor.model import Finding, Outcome, Setup, well, wrong
from pipeline.cells import load_cell
from pipeline.config.layer import Fault
from pipeline.contract.load import load_products
from pipeline.errors import ExitCode, HeadwaterError
from pipeline.settings import SettingInvalidError, Settings, all_settings

SETTINGS, CONTRACTS = "settings", "contracts"


def read_setup(settings: Settings, name: str) -> tuple[Setup | None, tuple[Finding, ...]]:
    """Return what is to be examined, None where its settings cannot be used, and what was found so far."""
    reading = all_settings()
    found: tuple[Finding, ...] = ()
    # What is wrong with another cell keeps this one from nothing but the places of its own faults.
    if not reading.grave:
        listed = {one.key: one for one in list_settings(reading, settings)}
        found = tuple(_fault(fault) for fault in client_faults(settings.home, name, listed))
    try:
        cell = load_cell(settings.home, name)
    except HeadwaterError as error:
        return None, found or (wrong(SETTINGS, error),)
    if not found:
        found = (well(SETTINGS, f"cell {name}", "every setting is one that its client takes."),)
    try:
        products = tuple(one for one in load_products(settings.contracts) if name in one.cells)
    except HeadwaterError as error:
        return Setup(cell, ()), (*found, wrong(CONTRACTS, error))
    names = ", ".join(product.name for product in products) or "no product"
    return Setup(cell, products), (*found, well(CONTRACTS, str(settings.contracts), f"{names}."))


def _fault(fault: Fault) -> Finding:
    what = f"{fault.key} {fault.what}".strip()
    kind = SettingInvalidError.__name__
    return Finding(
        SETTINGS, Outcome.WRONG, fault.where, what, fault.remedy, kind, ExitCode.TERMINAL
    )
