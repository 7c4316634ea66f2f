"""What Dagster keeps to itself and Headwater uses: all of it, each part with why.

Another version may change it without a word: so the range in pyproject.toml ends at the next minor
version, and tests/unit/project/test_private_parts.py tells what has changed. Importing this imports no
Dagster.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagster import DagsterInstance

    # What `define_asset_job` returns: no public name is given to it.
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as UnresolvedAssetJobDefinition,
    )

DAEMON = "dagster._daemon"
"""The module that `dagster-daemon` runs, for `python -m`: the command may be on nobody's path."""

ASSET_JOB = "__ASSET_JOB"
"""The job of runs that are launched from an asset's page, and of backfills."""

GRPC_INFO_TAG = ".dagster/grpc_info"
"""The tag of a run that says at which socket the code server listens that was asked to start it."""


class CodeServer:
    """A code server on a port of loopback, asked as the webserver and the daemon ask it."""

    def __init__(self, port: int) -> None:
        """Connect anew with each question."""
        from dagster._grpc.client import DagsterGrpcClient

        self._client = DagsterGrpcClient(port=port, host="127.0.0.1")

    def answers(self) -> bool:
        """Whether it answers, and the process behind it that has the code does, too."""
        from dagster._core.errors import DagsterUserCodeUnreachableError

        try:
            return bool(self._client.get_server_id(timeout=30))
        except DagsterUserCodeUnreachableError:
            return False

    def reload(self) -> bool:
        """Have it load its code in a new process; return whether that answers.

        What the former one has started goes on, and the former one ends after it. What is wrong with the code
        is told to whoever asks for it.
        """
        from dagster._core.errors import DagsterUserCodeUnreachableError

        try:
            self._client.reload_code(timeout=600)
        except DagsterUserCodeUnreachableError:
            return False
        return self.answers()


def serve_code_by(module: str) -> None:
    """Let a code server that this process starts run the code behind it by `python -m module`.

    `module` takes the arguments of Dagster's command line.
    """
    import sys

    from dagster._grpc import server

    command = [sys.executable, "-m", module]
    vars(server).update(get_python_environment_entry_point=lambda _executable: command)


RUN_MODULES = (
    "dagster._grpc.impl",
    "dagster._core.instance.factory",
    "dagster._core.launcher.default_run_launcher",
    "dagster._core.run_coordinator.queued_run_coordinator",
    "dagster._core.scheduler.scheduler",
    "dagster._core.secrets.loader",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "fsspec.implementations.local",
    "upath.implementations.local",
)
"""What Dagster imports in a run before it loads the code of the location."""


def fork_runs(preload: str) -> None:
    """Let a code server of this process fork its runs from one process, which imports `preload` first.

    Dagster starts an interpreter for each run. The module `preload` must start no thread of Python; it is
    imported as soon as the server serves its code, and not at the first run, which would wait for it.
    """
    import multiprocessing
    from multiprocessing import forkserver
    from types import SimpleNamespace

    from dagster._grpc import server

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*RUN_MODULES, preload])
    vars(server).update(
        multiprocessing=SimpleNamespace(get_context=lambda _method: context),
        start_run_in_subprocess=start_forked_run,
    )
    serve: Callable[[server.DagsterGrpcServer], None] = server.DagsterGrpcServer.serve

    def serve_and_preload(self: server.DagsterGrpcServer) -> None:
        # Not before: a stack that starts waits for the code, beside which it would be imported.
        forkserver.ensure_running()
        serve(self)

    vars(server)["DagsterGrpcServer"].serve = serve_and_preload


def start_forked_run(*args: object) -> None:
    """Run in a forked process as Dagster does in one of its own, with what is to be done at its exit."""
    import atexit

    from dagster._grpc import impl

    try:
        vars(impl)["start_run_in_subprocess"](*args)
    finally:
        # A process that `multiprocessing` forks skips it.
        atexit._run_exitfuncs()  # noqa: SLF001 - no public name


def shard_of(instance: DagsterInstance, run_id: str) -> str | None:
    """Return the SQLite file that holds a run's events alone, None where there is no such file.

    `DagsterInstance.delete_run` empties it, and leaves it where it is.
    """
    from dagster._core.storage.event_log import SqliteEventLogStorage

    storage = instance.event_log_storage
    return storage.path_for_shard(run_id) if isinstance(storage, SqliteEventLogStorage) else None


def detach_partitions(instance: DagsterInstance, run_id: str) -> int:
    """Let the materializations of partitions that a run logged be of no run; return how many.

    They stay when the run is deleted, at their time and in their order, and with them what Dagster shows of
    the partitions. Of their metadata stay numbers, times and short texts. What is public deletes them with
    the run, or logs new ones, which would be the newest of their assets.
    """
    import sqlalchemy as db
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    events = SqlEventLogStorageTable.c
    of_run = db.and_(
        events.run_id == run_id,
        events.dagster_event_type == "ASSET_MATERIALIZATION",
        events.partition.is_not(None),
    )
    with storage.index_connection() as connection:
        found = connection.execute(db.select(events.id, events.event).where(of_run)).all()
        for number, text in found:
            connection.execute(
                db.update(SqlEventLogStorageTable)
                .where(events.id == number)
                .values(run_id="", event=_of_no_run(text))
            )
    return len(found)


def _of_no_run(text: str) -> str:
    from dagster import (
        FloatMetadataValue,
        IntMetadataValue,
        TextMetadataValue,
        TimestampMetadataValue,
    )
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import deserialize_value, serialize_value

    short = (FloatMetadataValue, IntMetadataValue, TextMetadataValue, TimestampMetadataValue)
    entry = deserialize_value(text, EventLogEntry)
    event = entry.get_dagster_event()
    data = event.step_materialization_data
    kept = {k: v for k, v in data.materialization.metadata.items() if isinstance(v, short)}
    slim = data._replace(materialization=data.materialization.with_metadata(kept))
    return serialize_value(
        entry._replace(run_id="", dagster_event=event._replace(event_specific_data=slim))
    )


def delete_old_events(instance: DagsterInstance, cell: str, before: datetime) -> int:
    """Delete events that no run logged, and evaluations of checks, of assets below `cell`; return how many.

    The newest event of each kind and the newest evaluation of each asset stay, and what is younger than
    `before`. What is public deletes all events of an asset, or those of a run.
    """
    import sqlalchemy as db
    from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
    from dagster._core.storage.event_log.schema import (
        AssetCheckExecutionsTable,
        AssetEventTagsTable,
        SqlEventLogStorageTable,
    )

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    # Without a zone, in UTC, as Dagster writes them.
    limit = before.astimezone(UTC).replace(tzinfo=None)
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    of_cell = f'["{cell}",%'
    newest = (
        db.select(db.func.max(events.id))
        .where(events.run_id == "", events.asset_key.like(of_cell))
        .group_by(events.asset_key, events.partition, events.dagster_event_type)
    )
    old = db.and_(
        events.run_id == "",
        events.asset_key.like(of_cell),
        events.timestamp < limit,
        events.id.not_in(newest),
    )
    latest = (
        db.select(db.func.max(checks.id))
        .where(checks.asset_key.like(of_cell))
        .group_by(checks.asset_key, checks.check_name, checks.partition)
    )
    outdated = db.and_(
        checks.asset_key.like(of_cell),
        checks.create_timestamp < limit,
        checks.id.not_in(latest),
    )
    with storage.index_connection() as connection:
        tags = AssetEventTagsTable.c.event_id.in_(db.select(events.id).where(old))
        connection.execute(db.delete(AssetEventTagsTable).where(tags))
        deleted = connection.execute(db.delete(SqlEventLogStorageTable).where(old)).rowcount
        deleted += connection.execute(db.delete(AssetCheckExecutionsTable).where(outdated)).rowcount
    if isinstance(storage, SqliteEventLogStorage):
        with storage.run_connection("") as connection:
            connection.execute(db.delete(SqlEventLogStorageTable).where(old))
    return int(deleted)
