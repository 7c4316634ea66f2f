"""Registering schemas over HTTP from several processes at once, and timing each call."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from headwater.schema_registry.launch import launch_schema_registry
from headwater.stack.ports import free_port
from headwater.stack.starting import wait_until_ready
from pipeline.cells import embedded_cell, save_cell

SUBJECTS = 10
CELL = "us"


@dataclass(frozen=True)
class Order:
    """How many processes register, and how many schemas each; no two are equal."""

    clients: int = 8
    schemas: int = 125


@dataclass(frozen=True)
class Measured:
    """Every call's seconds and id, and the server's processor seconds for all of them."""

    took: tuple[float, ...]
    ids: tuple[int, ...]
    server_cpu_s: float


def measure(home: Path, order: Order) -> Measured:
    """Serve a new registry under `home` and register the order's schemas, ten subjects in turn.

    Raises:
        StartFailedError: the server did not start.
    """
    save_cell(home, embedded_cell(home, CELL, "127.0.0.1:9"))
    port = free_port()
    server = launch_schema_registry(home, CELL, port, home / "registry.log", os.environ)
    try:
        wait_until_ready([server])
        # The first call opens the file.
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            _register(connection, "warm", _schema(-1, 0))
        context = multiprocessing.get_context("spawn")
        ready, answers = context.Barrier(order.clients + 1), context.Queue()
        clients = [
            context.Process(target=_client, args=(port, number, order.schemas, ready, answers))
            for number in range(order.clients)
        ]
        for client in clients:
            client.start()
        ready.wait()
        before = _cpu(server.process.pid)
        found = [one for _ in clients for one in answers.get(timeout=600)]
        spent = _cpu(server.process.pid) - before
        for client in clients:
            client.join()
    finally:
        server.process.stop()
    return Measured(tuple(took for took, _ in found), tuple(id_ for _, id_ in found), spent)


def _client(port: int, number: int, schemas: int, ready: Any, answers: Any) -> None:
    found = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
        connection.connect()
        ready.wait()
        for index in range(schemas):
            began = time.perf_counter()
            id_ = _register(connection, f"subject-{index % SUBJECTS}", _schema(number, index))
            found.append((time.perf_counter() - began, id_))
    answers.put(found)


def _register(connection: http.client.HTTPConnection, subject: str, schema: dict[str, Any]) -> int:
    body = json.dumps({"schema": json.dumps(schema)})
    kind = {"Content-Type": "application/json"}
    connection.request("POST", f"/subjects/{subject}/versions", body, kind)
    with connection.getresponse() as answer:
        return int(json.load(answer)["id"])


def _schema(client: int, index: int) -> dict[str, Any]:
    own = {"name": f"of_{client + 1}_{index}", "type": "int", "default": 0}
    fields = [{"name": "value", "type": "int"}, own]
    return {"type": "record", "name": "Reading", "fields": fields}


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
