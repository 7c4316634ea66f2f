"""What the compose file runs, as processes over its real systems: `make deploy-test`."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from headwater.stack.broker import KafkaBroker
from headwater.stack.ports import free_port
from tests.integration.test_deploy import Deployed, answers, project
from tests.support.dagster_api import DagsterApi, wait_until
from tests.support.deployed import OURS
from tests.support.postgresql import PostgresqlServer
from tests.support.seaweedfs import SeaweedfsServer

ORDERS = 3
pytestmark = pytest.mark.timeout(900)
__all__ = ["project"]


@pytest.fixture
def deployed(
    project: Path,
    broker: KafkaBroker,
    postgresql: PostgresqlServer,
    seaweedfs: SeaweedfsServer,
) -> Iterator[Deployed]:
    """The compose file's systems, on this machine."""
    secrets = project.parent / "secrets"
    secrets.mkdir()
    for name, text in {
        "catalog_uri": postgresql.database(f"db_{uuid4().hex}"),
        "dagster_uri": postgresql.database(f"db_{uuid4().hex}"),
        "s3_key": seaweedfs.key,
        "s3_secret": seaweedfs.secret,
    }.items():
        (secrets / name).write_text(f"{text}\n")
    code, web, registry = (f"127.0.0.1:{free_port()}" for _ in range(3))
    instead = {
        "kafka:9092": broker.bootstrap_servers,
        "http://seaweedfs:8333": seaweedfs.endpoint,
        "s3://lake": seaweedfs.bucket(f"lake-{uuid4().hex}"),
        "/run/secrets": str(secrets),
        "schema-registry:8081": registry,
        "0.0.0.0:8081": registry,
        "code-us:4000": code,
        "0.0.0.0:4000": code,
        "webserver:3000": web,
        "0.0.0.0:3000": web,
        "/var/lib/headwater": str(project.parent / "home"),
    }
    found = Deployed(project, instead)
    yield found
    for name in [*found.running]:
        found.running[name].poll() is None and found.end(name)


def test_what_the_compose_file_runs_takes_records_to_tables_in_its_systems(
    deployed: Deployed,
) -> None:
    for name in ("schema-registry", "code-us", "webserver", "daemon"):
        deployed.start(name, OURS[name]["command"], OURS[name]["environment"])
    variables = OURS["code-us"]["environment"]
    web = f"http://{deployed.here('webserver:3000')}"
    wait_until("the UI answers", lambda: answers(f"{web}/server_info"), 300)

    sample = str(deployed.project / "samples" / "orders.jsonl")
    sent = deployed.run(["produce", "orders", "--from", sample], variables)
    assert sent.returncode == 0, sent.stderr
    examined = deployed.run(["doctor", "--cell", "us", "--json"], variables)
    assert examined.returncode == 0, examined.stdout

    def ingested() -> bool:
        told = deployed.run(["ledger", "orders", "--json"], variables)
        return told.returncode == 0 and json.loads(told.stdout)["totals"]["rows"] == ORDERS

    wait_until("the daemon has an ingest commit them", ingested, 300)
    (status, *_) = (status for _, status in DagsterApi(web).runs("us__orders__ingest"))
    assert status == "STARTED"
    for name in ("daemon", "webserver", "code-us", "schema-registry"):
        assert deployed.end(name) in (0, -signal.SIGTERM), deployed.log(name)
    balanced = deployed.run(["ledger", "orders", "--verify"], variables)
    assert balanced.returncode == 0, balanced.stdout
