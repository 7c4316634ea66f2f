"""Asking a running Dagster webserver, by its public GraphQL API."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

Value = TypeVar("Value")


class DagsterApi:
    """The GraphQL API at `address`."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the query's data."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.address}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            document = json.load(answer)
        if "errors" in document:
            raise RuntimeError(document["errors"])
        return document["data"]

    def runs(self, job: str) -> list[tuple[str, str]]:
        """Return (run id, status) of the job's runs, newest first."""
        query = """query($job: String!) { runsOrError(filter: {pipelineName: $job}) {
            ... on Runs { results { runId status } } } }"""
        results = self.ask(query, job=job)["runsOrError"]["results"]
        return [(run["runId"], run["status"]) for run in results]

    def run_pid(self, run_id: str) -> int | None:
        """Return the process that a run says it has; None before it has said so."""
        query = """query($run: ID!) { logsForRun(runId: $run) {
            ... on EventConnection { events { ... on MessageEvent { message } } } } }"""
        events = self.ask(query, run=run_id)["logsForRun"]["events"]
        pids = (
            re.search(r"Started process for run \(pid: (\d+)\)", one["message"]) for one in events
        )
        return next((int(found[1]) for found in pids if found), None)

    def check(self, key: list[str], name: str) -> str | None:
        """Return the last finished execution of an asset check, e.g. SUCCEEDED."""
        query = """query($key: AssetKeyInput!, $name: String!) {
            assetCheckExecutions(assetKey: $key, checkName: $name, limit: 5) { status } }"""
        found = self.ask(query, key={"path": key}, name=name)["assetCheckExecutions"]
        finished = [e["status"] for e in found if e["status"] in ("SUCCEEDED", "FAILED")]
        return finished[0] if finished else None

    def backfill(self, key: list[str], partitions: list[str], *also: list[str]) -> str:
        """Ask for partitions of an asset and of others, as the UI does; return the backfill's id."""
        query = """mutation($params: LaunchBackfillParams!) {
            launchPartitionBackfill(backfillParams: $params) {
                __typename ... on LaunchBackfillSuccess { backfillId } } }"""
        selection = [{"path": one} for one in (key, *also)]
        params = {"assetSelection": selection, "partitionNames": partitions}
        answer = self.ask(query, params=params)["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(answer["__typename"])
        return str(answer["backfillId"])

    def backfilled(self, backfill: str) -> int | None:
        """Return how many runs a backfill took once it is complete; None until then.

        Raises RuntimeError if it has failed.
        """
        query = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill { status runs { runId } } } }"""
        found = self.ask(query, id=backfill)["partitionBackfillOrError"]
        if "FAIL" in found["status"] or "CANCEL" in found["status"]:
            raise RuntimeError(found["status"])
        if found["status"] != "COMPLETED_SUCCESS":
            return None
        return len(found["runs"])

    def stop_building(self, cell: str, product: str) -> None:
        """Have the sensors and the schedule that build a product's hours ask for no more runs.

        Raises RuntimeError if one of them is not stopped, KeyError if there is none of its name.
        """
        query = """query($of: RepositorySelector!) {
            sensorsOrError(repositorySelector: $of) { ... on Sensors { results { name id } } }
            schedulesOrError(repositorySelector: $of) { ... on Schedules { results { name id } } } }"""
        of = {"repositoryName": "__repository__", "repositoryLocationName": cell}
        found = self.ask(query, of=of)
        for builder, kind, stop, stopped in (
            ("hour_closed", "sensorsOrError", "stopSensor", "StopSensorMutationResult"),
            ("late_data", "sensorsOrError", "stopSensor", "StopSensorMutationResult"),
            ("hourly", "schedulesOrError", "stopRunningSchedule", "ScheduleStateResult"),
        ):
            ids = {one["name"]: one["id"] for one in found[kind]["results"]}
            query = f"mutation($id: String!) {{ {stop}(id: $id) {{ __typename }} }}"
            answer = self.ask(query, id=ids[f"{cell}__{product}__{builder}"])[stop]["__typename"]
            if answer != stopped:
                raise RuntimeError(answer)

    def terminate(self, run_id: str) -> None:
        """Ask a run to end."""
        query = """mutation($run: String!) { terminateRun(runId: $run) { __typename } }"""
        kind = self.ask(query, run=run_id)["terminateRun"]["__typename"]
        if kind != "TerminateRunSuccess":
            raise RuntimeError(kind)


def wait_until(
    what: str, ask: Callable[[], Value | None], timeout_s: float, every_s: float = 2
) -> Value:
    """Return the first answer that is true. Raises TimeoutError, saying `what` was awaited."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(every_s)
    raise TimeoutError(f"after {timeout_s:.0f} s, still not: {what}")
