"""The same systems under `headwater up`: Dagster ingests and builds by itself, in runs that are forked."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil

from headwater.stack.ports import free_port
from pipeline.supervision.locks import Lock, batch_lock, ingest_lock, lock_holder
from tests.support.dagster_api import DagsterApi, wait_until
from tests.systems.systems import PRODUCT, WITHIN_S, Systems

INGEST, HOURLY = f"us__{PRODUCT}__ingest", f"us__{PRODUCT}__hourly"
RUNS = """{ runsOrError { ... on Runs { results {
    runId runConfigYaml tags { key value } } } }
    instance { info } }"""
LOGS = """query($run: ID!) {
    logsForRun(runId: $run) { ... on EventConnection { events { __typename
        ... on MessageEvent { message }
        ... on ErrorEvent { error { message stack } }
        ... on MaterializationEvent { metadataEntries { label description
            ... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString }
            ... on UrlMetadataEntry { url } ... on MarkdownMetadataEntry { mdStr } } }
        ... on LogsCapturedEvent { logKey: fileKey } } } }
}"""


@dataclass
class UnderDagster(Systems):
    """Nothing is asked for by hand but what a person would: what is killed is built again."""

    _parts: dict[str, int] = field(default_factory=dict)
    _address: str = ""

    def up(self) -> None:
        """Start it all."""
        ports = ("--kafka-port", str(free_port()), "--web-port", str(free_port()))
        told = json.loads(self.well("up", "--json", *ports).out)["parts"]
        assert all(part["healthy"] for part in told)
        self._parts = {part["name"]: part["pid"] for part in told}
        self._address = next(p["address"] for p in told if p["name"] == "dagster-webserver")

    def ingest(self) -> None:
        wait_until("all that was sent is ingested", self.has_events, WITHIN_S)

    def build(self) -> None:
        wait_until("all that was sent is published", self.is_published, WITHIN_S)
        lock = batch_lock(self.cell, PRODUCT)
        wait_until("the build has ended", lambda: lock_holder(lock) is None, WITHIN_S)

    def kill_ingest(self) -> None:
        for _ in range(self.kills):
            run = self._run(INGEST, ingest_lock(self.cell, PRODUCT))
            writing = threading.Thread(target=self.send, args=(2_000,))
            writing.start()
            writing.join(0.5)
            os.kill(self._forked(run), signal.SIGKILL)
            writing.join()

    def kill_build(self) -> None:
        self.send(50)
        # Maybe the build of what a killed ingest left: it is then killed, whatever it was doing.
        run = self._run(HOURLY, batch_lock(self.cell, PRODUCT))
        os.kill(self._forked(run), signal.SIGKILL)
        self.ingest()
        # Dagster waits for minutes before it tries again; a person does not.
        self._built_by_hand()
        for place in [*self._places("hour")][1:]:
            self.send(50)
            self.ingest()
            self._dies_at(place, "hours", "build", PRODUCT, "--cell", "us")
            self._built_by_hand()

    def answers(self) -> Iterable[bytes]:
        api = DagsterApi(self._address)
        told = api.ask(RUNS)
        yield json.dumps(told).encode()
        runs = told["runsOrError"]["results"]
        assert len(runs) > 3
        for run in runs:
            yield json.dumps(api.ask(LOGS, run=run["runId"])).encode()

    def _built_by_hand(self) -> None:
        Systems.build(self)

    def _run(self, job: str, lock: Lock) -> str:
        """Return the run of a job that has the lock, once one has."""

        def holder() -> str | None:
            found = lock_holder(lock)
            return found if found in dict(DagsterApi(self._address).runs(job)) else None

        return wait_until(f"a run of {job}", holder, WITHIN_S)

    def _forked(self, run: str) -> int:
        """Return the process of a run, which the code server's forking one has started."""
        pid = DagsterApi(self._address).run_pid(run)
        assert pid is not None
        parent = psutil.Process(pid).parent()
        assert parent is not None
        assert "forkserver" in " ".join(parent.cmdline())
        return pid
