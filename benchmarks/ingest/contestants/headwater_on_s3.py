"""Headwater over PostgreSQL (catalog, state) and S3 (warehouse), servers beside the broker: not counted."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.contestants import Runner, headwater, this_python
from benchmarks.ingest.work import Work

if TYPE_CHECKING:
    from pipeline.cells import Cell

TITLE = "Headwater, catalog and state in PostgreSQL, warehouse in S3 (SeaweedFS)"
VARIANTS = {headwater.ALL_ON: ""}
SHARE = 1.0
SERVERS = "HEADWATER_BENCH_SERVERS"
"""Variable that has the servers' addresses and logins, as JSON."""
BUCKET = "bench"
python = this_python
guarantees = headwater.guarantees


def ready(say: Callable[[str], None]) -> str:
    """Start both servers, which end with this process."""
    from tests.support.postgresql import PostgresqlServer
    from tests.support.seaweedfs import SeaweedfsServer

    if SERVERS in os.environ:
        return ""
    say("starting PostgreSQL and SeaweedFS")
    root = Path(tempfile.mkdtemp(prefix="headwater-bench-servers-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folders = [root / name for name in ("postgresql", "seaweedfs")]
    for folder in folders:
        folder.mkdir()
    postgresql = PostgresqlServer(folders[0], fsync=True)
    atexit.register(postgresql.stop)
    seaweedfs = SeaweedfsServer(folders[1])
    atexit.register(seaweedfs.stop)
    seaweedfs.bucket(BUCKET)
    os.environ[SERVERS] = json.dumps({"admin": postgresql.address, "s3": seaweedfs.login})
    return ""


def start(work: Work) -> Runner:
    """Make a database of this run's own, and import what an ingest needs."""
    import psycopg

    from pipeline.ingest.run import ingest

    with psycopg.connect(_servers()["admin"], autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{_name(work)}"'.encode())
    return headwater.InCell(_cell(work), ingest)


def files(work: Work) -> tuple[list[str], str]:
    """Return copies here of its own table's."""
    from pipeline.tables.catalog import load_table
    from tests.support.seaweedfs import filesystem_of

    store = filesystem_of(_servers()["s3"])
    folder = Path(work.cell["root"]) / "copies"
    folder.mkdir()
    copies = []
    table = load_table(_cell(work), f"{work.topic.name}.events")
    for number, task in enumerate(table.scan().plan_files()):
        copy = folder / f"{number}.parquet"
        with store.open_input_stream(task.file.file_path.removeprefix("s3://")) as content:
            copy.write_bytes(content.read())
        copies.append(str(copy))
    return copies, "_uuid"


def _cell(work: Work) -> Cell:
    servers, name = _servers(), _name(work)
    uri = f"{servers['admin'].rpartition('/')[0]}/{name}"
    return replace(
        work.own_cell(),
        catalog_uri=uri,
        state_uri=uri,
        warehouse=f"s3://{BUCKET}/{name}",
        s3=servers["s3"],
    )


def _name(work: Work) -> str:
    """Return a name that no other run has: each has a folder of its own."""
    return f"run_{md5(work.cell['root'].encode(), usedforsecurity=False).hexdigest()}"


def _servers() -> Any:
    return json.loads(os.environ[SERVERS])
