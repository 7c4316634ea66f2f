"""A location's code server, as a part of the stack."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from headwater.stack.code_servers.workspace import Location
from headwater.stack.dagster.launch import log_options
from headwater.stack.process import start_detached
from headwater.stack.starting import Starting
from pipeline.settings import Settings

READY_TIMEOUT_S = 300.0
SERVICE = "DagsterApi"


def launch_code_server(
    location: Location, port: int, settings: Settings, log: Path, environment: Mapping[str, str]
) -> Starting:
    """Start the server on loopback, and leave the waiting to the caller.

    It loads the location anew when something below the folder of contracts changes, and when the process
    that has the code has died; runs that it has started go on.
    """
    module = "headwater.stack.code_servers.serve"
    command = [
        *(
            sys.executable,
            "-m",
            module,
            str(settings.contracts),
            "-p",
            str(port),
            "-h",
            "127.0.0.1",
        ),
        *("--location-name", location.name, *location.arguments),
        *log_options(settings),
    ]
    process = start_detached(command, log, environment, settings.project)
    subject = f"code server of {location.name} 127.0.0.1:{port}"
    return Starting(process, subject, log, partial(is_serving, port), READY_TIMEOUT_S)


def is_serving(port: int) -> bool:
    """Whether a code server answers on `port` of loopback."""
    # Only who starts or asks after a stack needs it.
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service=SERVICE), timeout=3)
        except grpc.RpcError:
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)
