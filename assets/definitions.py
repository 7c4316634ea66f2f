"""Everything one cell's code location holds, made from the contracts."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from assets.dead_letters.replay_jobs import dry_run_job, replay_job
from assets.dead_letters.review import dead_letter_review, open_dead_letters
from assets.dead_letters.topic import dead_letter_topic
from assets.events import events
from assets.hourly import derived_tables
from assets.jobs import hourly_job, ingest_job, maintenance_job, review_job
from assets.keys import Keys
from assets.maintenance import maintenance
from assets.schedules import hourly_schedule, review_schedule
from assets.sensors.dead_letter_topic import feeds_dead_letters
from assets.sensors.hours import hour_closed, late_data
from assets.sensors.keep_alive import keep_alive
from assets.sensors.maintenance import maintenance_due
from assets.sensors.watermark import watermark_sensor
from assets.storage import storage
from assets.topic import references, topic
from assets.watermark import table_watermark, watermark
from pipeline.contract.load import load_products
from pipeline.contract.model import Product
from pipeline.settings import load_settings
from resources.cell import CellResource
from resources.spark import spark_resource


def build(cell_name: str) -> dg.Definitions:
    """Return the definitions of every product that lives in the cell.

    Reads contracts, and nothing else: it works with no stack running.

    Raises:
        ContractError: a contract has mistakes.
    """
    products = [p for p in load_products(load_settings().contracts) if cell_name in p.cells]
    resources = dg.Definitions(
        resources={"cell": CellResource(name=cell_name), "spark": spark_resource(cell_name)},
        # A backfill is one step: a process of its own for it would start within the run's.
        executor=dg.in_process_executor,
    )
    own = storage(cell_name)
    return dg.Definitions.merge(resources, own, *(_of(cell_name, product) for product in products))


def _of(cell_name: str, product: Product) -> dg.Definitions:
    keys = Keys(cell_name, product)
    ingest, upkeep = ingest_job(keys), maintenance_job(keys)
    found = dg.Definitions.merge(
        dg.Definitions(
            assets=[*_external(keys), events(keys), maintenance(keys)],
            jobs=[ingest, upkeep],
            sensors=[
                keep_alive(keys, ingest.name),
                watermark_sensor(keys),
                maintenance_due(keys, upkeep.name),
            ],
        ),
        _of_dead_letters(keys),
    )
    if not product.derived_tables:
        return found
    hourly = hourly_job(keys)
    return dg.Definitions.merge(
        found,
        dg.Definitions(
            assets=[derived_tables(keys)],
            jobs=[hourly],
            sensors=[hour_closed(keys, hourly.name), late_data(keys, hourly.name)],
            schedules=[hourly_schedule(keys, hourly.name)],
        ),
    )


def _of_dead_letters(keys: Keys) -> dg.Definitions:
    review = review_job(keys)
    is_fed = keys.product.dead_letter_topic is not None
    return dg.Definitions(
        assets=[dead_letter_review(keys), *([dead_letter_topic(keys)] if is_fed else ())],
        asset_checks=[open_dead_letters(keys)],
        jobs=[review, dry_run_job(keys), replay_job(keys)],
        sensors=[feeds_dead_letters(keys)] if is_fed else [],
        schedules=[review_schedule(keys, review.name)],
    )


def _external(keys: Keys) -> Iterator[dg.AssetSpec]:
    yield topic(keys)
    yield from references(keys)
    tables = (table_watermark(keys, derived_table) for derived_table in keys.product.derived_tables)
    yield from (mark for mark in (watermark(keys), *tables) if mark is not None)
