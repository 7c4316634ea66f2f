"""A location's code server, as a part of the stack."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from headwater.stack.code_servers.workspace import Location
from headwater.stack.dagster.launch import log_options
from headwater.stack.ports import LOOPBACK, Address
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
    address = Address(LOOPBACK, port)
    command = code_server_command(location, address, settings)
    process = start_detached(command, log, environment, settings.project)
    subject = f"code server of {location.name} {address}"
    return Starting(process, subject, log, partial(is_serving, port), READY_TIMEOUT_S)


def code_server_command(location: Location, listen: Address, settings: Settings) -> Sequence[str]:
    """Return the command line of a location's server."""
    module = "headwater.stack.code_servers.serve"
    return [
        *(sys.executable, "-m", module, str(settings.contracts)),
        *("-p", str(listen.port), "-h", listen.host),
        *("--location-name", location.name, *location.arguments),
        *log_options(settings),
    ]


def is_serving(port: int, host: str = LOOPBACK) -> bool:
    """Whether a code server answers on `port` of `host`."""
    # Only who starts or asks after a stack needs it.
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    with grpc.insecure_channel(f"{host}:{port}") as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service=SERVICE), timeout=3)
        except grpc.RpcError:
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)
