"""Great Expectations' Data Docs of a cell: a static site of what its audits found.

`<cell root>/data_docs` is the site, `<cell root>/audits` what it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from great_expectations.core import RunIdentifier
from great_expectations.data_context.data_context.abstract_data_context import (
    AbstractDataContext,
)
from great_expectations.data_context.types.base import DataContextConfig
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable
from pipeline.contract.targets import expectations
from pipeline.files import write_atomically
from pipeline.supervision.locks import hold_lock
from quality.audit import AuditResult
from quality.context import quiet_context
from quality.pages.drift_chart import drift_chart
from quality.pages.view import PageView

KEPT = 48
"""How many validations of each table the site keeps, the newest."""

HOUR = "%Y-%m-%dT%H"
LOCK_WAIT_S = 60.0
_VIEW = {"module_name": PageView.__module__, "class_name": PageView.__name__}


@dataclass(frozen=True)
class Audited:
    """An audit to publish: what it found of one hour of one table."""

    table: DerivedTable
    hour: datetime
    result: AuditResult


@dataclass(frozen=True)
class Page:
    """Where one audit is shown: paths below the site. `chart` is None without distributions."""

    validation: str
    chart: str | None


def site(cell: Cell) -> Path:
    """Return the folder of the cell's site. It may not be there yet."""
    return cell.root / "data_docs"


def publish(
    cell: Cell, product: str, audits: Sequence[Audited], run_id: str, clock: Clock = utc_now
) -> dict[tuple[str, datetime], Page]:
    """Add audits to the cell's site; returns the pages by table and hour.

    Takes 15 ms of processor time each, and 50 for all.

    The index has them once `index` is called. Several processes take turns. Shows what `AuditResult`
    has: no value of a personal column.

    Raises:
        LockHeldError: another process worked on the site for a minute.
    """
    pages: dict[tuple[str, datetime], Page] = {}
    with hold_lock(cell.locks / "data_docs.lock", run_id, wait_s=LOCK_WAIT_S):
        context = _context(cell)
        tables = {f"{product}.{one.table.name}": one.table for one in audits}
        touched: list[Any] = [_store_suite(context, *one) for one in tables.items()]
        for one in audits:
            suite = f"{product}.{one.table.name}"
            key = ValidationResultIdentifier(
                expectation_suite_identifier=ExpectationSuiteIdentifier(suite),
                run_id=RunIdentifier(run_name=run_id, run_time=clock()),
                batch_identifier=f"{one.hour:{HOUR}}",
            )
            _store(context, one, key)
            touched.append(key)
            pages[one.table.name, one.hour] = Page(_path(key), _draw(cell, suite, one))
        if touched:
            context.build_data_docs(resource_identifiers=touched, build_index=False)
    return pages


def index(cell: Cell, owner: str) -> None:
    """Let go of all but the `KEPT` newest validations of each table, and list the others.

    Takes a second or two for a hundred of them: once a run is enough.

    Raises:
        LockHeldError: another process worked on the site for a minute.
    """
    with hold_lock(cell.locks / "data_docs.lock", owner, wait_s=LOCK_WAIT_S):
        context = _context(cell)
        _forget(cell, context)
        suites = [
            key
            for key in context.expectations_store.list_keys()
            if isinstance(key, ExpectationSuiteIdentifier)
        ]
        if suites:
            # Without a name it would draw every page anew.
            context.build_data_docs(resource_identifiers=suites[:1])


def _context(cell: Cell) -> AbstractDataContext:
    def files(folder: Path, suffix: str | None = None) -> dict[str, Any]:
        backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
        return {**backend, "filepath_suffix": suffix} if suffix else backend

    kept = cell.root / "audits"
    memory = {"class_name": "InMemoryStoreBackend"}
    config = DataContextConfig(
        expectations_store_name="expectations",
        validation_results_store_name="validations",
        checkpoint_store_name="checkpoints",
        stores={
            "expectations": {
                "class_name": "ExpectationsStore",
                "store_backend": files(kept / "expectations", ".json"),
            },
            "validations": {
                "class_name": "ValidationResultsStore",
                "store_backend": files(kept / "validations", ".json"),
            },
            "checkpoints": {"class_name": "CheckpointStore", "store_backend": memory},
            "validation_definition_store": {
                "class_name": "ValidationDefinitionStore",
                "store_backend": memory,
            },
        },
        data_docs_sites={
            cell.name: {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": files(site(cell)),
                "site_section_builders": {
                    "expectations": {"view": _VIEW},
                    "validations": {"view": _VIEW},
                    "profiling": "None",
                },
            }
        },
        analytics_enabled=False,
    )
    return quiet_context(config)


def _store_suite(
    context: AbstractDataContext, name: str, table: DerivedTable
) -> ExpectationSuiteIdentifier:
    suite = expectations.suite(table)
    suite.name = name
    context.suites.add_or_update(suite)
    return ExpectationSuiteIdentifier(name)


def _store(context: AbstractDataContext, one: Audited, key: ValidationResultIdentifier) -> None:
    validation = one.result.validation
    validation.suite_name = key.expectation_suite_identifier.name
    validation.meta["run_id"] = key.run_id
    context.validation_results_store.set(key, validation)


def _draw(cell: Cell, suite: str, one: Audited) -> str | None:
    if not one.result.distributions:
        return None
    path = Path("pictures", suite, f"{one.hour:{HOUR}}.svg")
    target = site(cell) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    title = f"{suite} {one.hour:{HOUR}}"
    write_atomically(target, drift_chart(title, one.result.distributions))
    return path.as_posix()


def _forget(cell: Cell, context: AbstractDataContext) -> None:
    store = context.validation_results_store
    by_suite: dict[str, list[ValidationResultIdentifier]] = {}
    keys = [key for key in store.list_keys() if isinstance(key, ValidationResultIdentifier)]
    for key in sorted(keys, key=lambda key: key.run_id.run_time, reverse=True):
        by_suite.setdefault(key.expectation_suite_identifier.name, []).append(key)
    for suite, newest_first in by_suite.items():
        for key in newest_first[KEPT:]:
            store.remove_key(key)  # type: ignore[no-untyped-call]
        kept = {f"{key.batch_identifier}.svg" for key in newest_first[:KEPT]}
        for drawn in (site(cell) / "pictures" / suite).glob("*.svg"):
            if drawn.name not in kept:
                drawn.unlink()


def _path(key: ValidationResultIdentifier) -> str:
    suite = key.expectation_suite_identifier.name.split(".")
    parts = ("validations", *suite, *key.run_id.to_tuple(), f"{key.batch_identifier}.html")
    return "/".join(parts)
