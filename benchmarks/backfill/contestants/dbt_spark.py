"""dbt on Spark: microbatch models, a batch a day, with the contracts' expectations as tests.

In an environment of its own, since its pins are not ours. A batch an hour, dbt's finest, would be a query
for each hour of the year, also for those of the night that have no flights.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.backfill.work import NAMESPACE, Place, Target, Work
from benchmarks.peers import installed, python_of

if TYPE_CHECKING:
    from pipeline.cells import Cell

TITLE = "dbt on Spark, microbatch by day"
AUDITED = "the contracts' expectations, over all hours at once, after they are in the table"
FAILING = "readers see all rows, the failing ones too"
LOCK = Path(__file__).with_name("dbt_spark.lock")


def ready(say: Callable[[str], None]) -> str:
    """Install it, hashes checked."""
    return installed("dbt-spark", LOCK, say)


def python() -> Path:
    """Return its own interpreter."""
    return python_of("dbt-spark")


class _Runner:
    def __init__(self, work: Work) -> None:
        from pyspark import SparkConf
        from pyspark.sql import SparkSession

        self._work = work
        conf = SparkConf().setAll(list(work.spark.items()))
        self._spark = SparkSession.builder.config(conf=conf).getOrCreate()

    def run(self, place: Place) -> None:
        from dbt.cli.main import dbtRunner  # type: ignore[import-not-found]

        project = Path(place.root) / "dbt"
        for path, content in _project(self._work, place).items():
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(content)
        # dbt's names have no catalog: it is the session's.
        self._spark.catalog.setCurrentCatalog(place.name)
        folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
        span = ["--event-time-start", _moment(place.first), "--event-time-end", _moment(place.end)]
        done = dbtRunner().invoke(["build", *folders, *span])
        if not done.success:
            raise RuntimeError(f"dbt build failed: {done.exception or done.result}")

    def close(self) -> None:
        self._spark.stop()


def start(work: Work) -> _Runner:
    """Start Spark."""
    return _Runner(work)


def table(cell: Cell, product: str, target: Target) -> str:  # noqa: ARG001 - it is in any cell
    """Return the model's table."""
    return f"{NAMESPACE}.{target.name}"


def _project(work: Work, place: Place) -> dict[str, str]:
    """Return the project's files; JSON is YAML, too."""
    namespace, name = work.events.split(".")
    source = {"name": name, "config": {"event_time": "_event_time"}}
    project = {"name": "bench", "version": "1.0.0", "profile": "bench", "config-version": 2}
    flags = {"send_anonymous_usage_stats": False}
    spark = {
        "type": "spark",
        "method": "session",
        "schema": NAMESPACE,
        "host": "none",
        "threads": 1,
    }
    files: dict[str, Any] = {
        "dbt_project.yml": project | {"flags": flags},
        "profiles.yml": {"bench": {"target": "spark", "outputs": {"spark": spark}}},
        "models/sources.yml": {"version": 2, "sources": [{"name": namespace, "tables": [source]}]},
    }
    texts = {path: json.dumps(content) for path, content in files.items()}
    events = f"{{{{ source('{namespace}', '{name}') }}}}"
    config = (
        "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='hour',"
        f" begin='{_moment(place.first)}', batch_size='day', file_format='iceberg',"
        " partition_by=['hour']) }}\n"
    )
    for target in work.targets:
        query = target.query.format(events=events)
        texts[f"models/{target.name}.sql"] = config + query
        for number, statement in enumerate(target.audits):
            model = f"{{{{ ref('{target.name}') }}}}"
            texts[f"tests/{target.name}_{number}.sql"] = statement.format(table=model)
    return texts


def _moment(iso: str) -> str:
    """Return a time as dbt reads it, which is in UTC."""
    return iso[:19]
