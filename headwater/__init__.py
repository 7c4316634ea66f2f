"""Headwater from Python: what programs, and the logic of derived tables, import.

Names are loaded when they are first asked for: `import headwater` itself costs nearly nothing, and only who
builds hours imports Spark. What is not named here may change with any version.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwater.build import BuiltHour as BuiltHour
    from headwater.build import build_hours as build_hours
    from pipeline.batch.compute.as_of import join_as_of as join_as_of
    from pipeline.batch.compute.inputs import Inputs as Inputs
    from pipeline.batch.compute.inputs import RangeInputs as RangeInputs
    from pipeline.batch.planning.plan import HourOpenError as HourOpenError
    from pipeline.batch.planning.plan import HoursPlan as HoursPlan
    from pipeline.batch.planning.plan import LedgerUnbalancedError as LedgerUnbalancedError
    from pipeline.batch.planning.plan import plan_hours as plan_hours
    from pipeline.batch.planning.read_inputs import read_plan_inputs as read_plan_inputs
    from pipeline.catalogs.errors import CatalogUnavailableError as CatalogUnavailableError
    from pipeline.cells import Cell as Cell
    from pipeline.cells import CellNotFoundError as CellNotFoundError
    from pipeline.cells import embedded_cell as embedded_cell
    from pipeline.cells import load_cell as load_cell
    from pipeline.cells import save_cell as save_cell
    from pipeline.contract.diff import diff_products as diff_products
    from pipeline.contract.load import load_product as load_product
    from pipeline.contract.load import load_products as load_products
    from pipeline.contract.model import Product as Product
    from pipeline.contract.source.mistakes import ContractError as ContractError
    from pipeline.disk import DiskFullError as DiskFullError
    from pipeline.disk import FileDamagedError as FileDamagedError
    from pipeline.disk import FileMissingError as FileMissingError
    from pipeline.errors import HeadwaterError as HeadwaterError
    from pipeline.errors import PoisonError as PoisonError
    from pipeline.errors import RetryableError as RetryableError
    from pipeline.errors import TerminalError as TerminalError
    from pipeline.features.historical_features import (
        get_historical_features as get_historical_features,
    )
    from pipeline.features.historical_features import (
        plan_historical_features as plan_historical_features,
    )
    from pipeline.features.point_in_time import point_in_time_join as point_in_time_join
    from pipeline.features.serving import NotServedError as NotServedError
    from pipeline.features.serving import ServingStatus as ServingStatus
    from pipeline.features.serving import read_served as read_served
    from pipeline.features.serving import serving_status as serving_status
    from pipeline.features.times import KnownAt as KnownAt
    from pipeline.ingest.limits import Limits as Limits
    from pipeline.ingest.report import IngestReport as IngestReport
    from pipeline.ingest.run import ingest as ingest
    from pipeline.ingest.run import plan_ingest as plan_ingest
    from pipeline.kafka.errors import BrokerUnavailableError as BrokerUnavailableError
    from pipeline.ledger.ledger import Ledger as Ledger
    from pipeline.ledger.read import read_ledger as read_ledger
    from pipeline.ledger.verify import Verification as Verification
    from pipeline.ledger.verify import verify_ledger as verify_ledger
    from pipeline.maintenance.run import maintain as maintain
    from pipeline.maintenance.run import plan_maintenance as plan_maintenance
    from pipeline.produce.event_writer import EventWriter as EventWriter
    from pipeline.produce.topic import ensure_topic as ensure_topic
    from pipeline.schemas.open import open_registry as open_registry
    from pipeline.settings import Settings as Settings
    from pipeline.settings import load_settings as load_settings
    from pipeline.spark.errors import SparkUnavailableError as SparkUnavailableError
    from pipeline.supervision.lease import LeaseLostError as LeaseLostError
    from pipeline.supervision.locks import LockHeldError as LockHeldError
    from pipeline.supervision.locks import batch_lock as batch_lock
    from pipeline.supervision.locks import hold_lock as hold_lock
    from pipeline.tables.catalog import CatalogLostError as CatalogLostError
    from pipeline.tables.catalog import TableMissingError as TableMissingError
    from pipeline.tables.catalog import open_catalog as open_catalog
    from pipeline.tables.errors import WarehouseUnavailableError as WarehouseUnavailableError

    __version__: str

_NAMES = {
    "headwater.build": ("BuiltHour", "build_hours"),
    "pipeline.batch.compute.as_of": ("join_as_of",),
    "pipeline.batch.compute.inputs": ("Inputs", "RangeInputs"),
    "pipeline.batch.planning.plan": (
        "HourOpenError",
        "HoursPlan",
        "LedgerUnbalancedError",
        "plan_hours",
    ),
    "pipeline.batch.planning.read_inputs": ("read_plan_inputs",),
    "pipeline.catalogs.errors": ("CatalogUnavailableError",),
    "pipeline.cells": ("Cell", "CellNotFoundError", "embedded_cell", "load_cell", "save_cell"),
    "pipeline.contract.diff": ("diff_products",),
    "pipeline.contract.load": ("load_product", "load_products"),
    "pipeline.contract.model": ("Product",),
    "pipeline.contract.source.mistakes": ("ContractError",),
    "pipeline.disk": ("DiskFullError", "FileDamagedError", "FileMissingError"),
    "pipeline.errors": ("HeadwaterError", "PoisonError", "RetryableError", "TerminalError"),
    "pipeline.features.historical_features": (
        "get_historical_features",
        "plan_historical_features",
    ),
    "pipeline.features.point_in_time": ("point_in_time_join",),
    "pipeline.features.serving": (
        "NotServedError",
        "ServingStatus",
        "read_served",
        "serving_status",
    ),
    "pipeline.features.times": ("KnownAt",),
    "pipeline.ingest.limits": ("Limits",),
    "pipeline.ingest.report": ("IngestReport",),
    "pipeline.ingest.run": ("ingest", "plan_ingest"),
    "pipeline.kafka.errors": ("BrokerUnavailableError",),
    "pipeline.ledger.ledger": ("Ledger",),
    "pipeline.ledger.read": ("read_ledger",),
    "pipeline.ledger.verify": ("Verification", "verify_ledger"),
    "pipeline.maintenance.run": ("maintain", "plan_maintenance"),
    "pipeline.produce.event_writer": ("EventWriter",),
    "pipeline.produce.topic": ("ensure_topic",),
    "pipeline.schemas.open": ("open_registry",),
    "pipeline.settings": ("Settings", "load_settings"),
    "pipeline.spark.errors": ("SparkUnavailableError",),
    "pipeline.supervision.lease": ("LeaseLostError",),
    "pipeline.supervision.locks": ("LockHeldError", "batch_lock", "hold_lock"),
    "pipeline.tables.catalog": ("CatalogLostError", "TableMissingError", "open_catalog"),
    "pipeline.tables.errors": ("WarehouseUnavailableError",),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = [*_HOMES, "__version__"]


# Hidden from type checkers, which would take any name for one of this module.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            found: object = version("headwater")
        elif name in _HOMES:
            found = getattr(import_module(_HOMES[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
