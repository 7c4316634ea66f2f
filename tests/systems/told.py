"""What Dagster's webserver tells of its instance, its runs and their logs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.support.dagster_api import DagsterApi

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


def told_by(api: DagsterApi) -> Iterator[bytes]:
    """Yield its answers: one about the instance and all runs, and one about the log of each."""
    told = api.ask(RUNS)
    yield json.dumps(told).encode()
    runs = told["runsOrError"]["results"]
    assert len(runs) > 3, "ingests, and builds"
    for run in runs:
        yield json.dumps(api.ask(LOGS, run=run["runId"])).encode()
