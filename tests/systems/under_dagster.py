"""The same systems under `headwater up`: Dagster ingests and builds by itself, in runs that are forked."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import psutil
import pytest

from headwater.stack.ports import free_port
from pipeline.errors import ExitCode
from pipeline.supervision.locks import Lock, batch_lock, ingest_lock, lock_holder
from tests.support.commands import Result
from tests.support.dagster_api import DagsterApi, wait_until
from tests.systems.systems import PRODUCT, WITHIN_S, Systems
from tests.systems.told import told_by

INGEST, HOURLY = f"us__{PRODUCT}__ingest", f"us__{PRODUCT}__hourly"
PLACES = ("hour.after_stage", "hour.after_publish", "hour.before_stage", "hour.after_release")
"""Failpoints at which a person's builds are killed."""


@dataclass
class UnderDagster(Systems):
    """Nothing is asked for by hand but what a person would: what is killed is built again.

    Attributes:
        kills: how many ingests, and how many builds, are to be killed.
    """

    kills: int = 1
    _address: str = ""

    def up(self) -> None:
        """Start it all."""
        ports = ("--kafka-port", str(free_port()), "--web-port", str(free_port()))
        told = json.loads(self.well("up", "--json", *ports).out)["parts"]
        assert all(part["healthy"] for part in told)
        assert "kafka-us" not in [part["name"] for part in told], "it has brokers of its own"
        self._address = next(p["address"] for p in told if p["name"] == "dagster-webserver")

    def ingest(self) -> None:
        wait_until("all that was sent is ingested", self.has_events, WITHIN_S)

    def build(self) -> None:
        wait_until("all that was sent is published", self.is_published, WITHIN_S)
        lock = batch_lock(self.cell, PRODUCT)
        wait_until("the build has ended", lambda: lock_holder(lock) is None, WITHIN_S)

    def kill_ingest(self) -> None:
        """Have ingests die by SIGKILL while records come."""
        for _ in range(self.kills):
            ingesting = self._forked(INGEST, ingest_lock(self.cell, PRODUCT))
            writing = threading.Thread(target=self.send, args=(2_000,))
            writing.start()
            writing.join(0.5)
            os.kill(ingesting, signal.SIGKILL)
            writing.join()

    def kill_build(self) -> None:
        """Have builds of hours that late data has reached die by SIGKILL: Dagster's, and then a person's."""
        self.send(50)
        # Maybe the build of what a killed ingest left: it is killed, whatever it was doing.
        os.kill(self._forked(HOURLY, batch_lock(self.cell, PRODUCT)), signal.SIGKILL)
        self.ingest()
        # Dagster waits for minutes before it tries again; a person does not.
        self._build_by_hand()
        places = itertools.islice(itertools.cycle(PLACES), self.kills - 1)
        for number, place in enumerate(places):
            if not number:
                DagsterApi(self._address).stop_building("us", PRODUCT)
            self.send(50)
            self.ingest()
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("HEADWATER_FAILPOINT", place)
                died = self._by_hand()
            assert died.code == -signal.SIGKILL, f"at {place}: {died.err}"
            self._build_by_hand()

    def answers(self) -> Iterable[bytes]:
        return told_by(DagsterApi(self._address))

    def _build_by_hand(self) -> None:
        result = self._by_hand()
        assert result.code == ExitCode.OK, result.err
        assert self.is_published()

    def _by_hand(self) -> Result:
        """Run the command that builds hours to its end, once nobody else builds them."""

        def built() -> Result | None:
            asked = self.command.start("hours", "build", PRODUCT, "--cell", "us")
            result = asked.result(WITHIN_S)
            return None if result.code == ExitCode.RETRYABLE else result

        return wait_until("nobody else builds", built, WITHIN_S)

    def _forked(self, job: str, lock: Lock) -> int:
        """Return the process of the run of a job that has the lock, once one that lives has.

        The code server's forking process has started it.
        """

        def living() -> int | None:
            found, api = lock_holder(lock), DagsterApi(self._address)
            if found is None or found not in dict(api.runs(job)):
                return None
            pid = api.run_pid(found)
            return pid if pid is not None and _lives(pid) else None

        pid = wait_until(f"a run of {job}", living, WITHIN_S)
        parent = psutil.Process(pid).parent()
        assert parent is not None
        assert "forkserver" in " ".join(parent.cmdline())
        return pid


def _lives(pid: int) -> bool:
    """Tell whether there is such a process, and not only what is left of one that was killed."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
