"""Whether a process of this machine lives, told by the system and not by what was written down."""

from __future__ import annotations

import socket
from contextlib import closing
from datetime import datetime, timedelta

import psutil

from pipeline.supervision.liveness import ProcessState

_CLOCK_STEP = timedelta(seconds=10)
_CONNECT_S = 2.0


def process_state(pid: int, recorded_at: datetime) -> ProcessState:
    """Tell whether the process that was `pid` at `recorded_at` still runs; a zombie does not.

    A process that began later has got the number of one that is gone.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ProcessState.GONE
        began = process.create_time()
    except psutil.NoSuchProcess:
        return ProcessState.GONE
    except psutil.AccessDenied:
        return ProcessState.ALIVE
    is_younger = began > (recorded_at + _CLOCK_STEP).timestamp()
    return ProcessState.GONE if is_younger else ProcessState.ALIVE


def is_listening(address: str | tuple[str, int], since: datetime) -> bool:
    """Tell whether some process listens at a Unix socket's path, or one that began until `since` at a port.

    The path is another one for each process, the port the same for all that come after each other. True as
    well where it could not be asked: a loaded machine may be late to answer.
    """
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.settimeout(_CONNECT_S)
        try:
            probe.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True
    return isinstance(address, str) or not _is_younger(address[1], since)


def _is_younger(port: int, since: datetime) -> bool:
    """Whether who listens on a port of this machine began after `since`; False where that is not known."""
    try:
        pids = [
            one.pid
            for one in psutil.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        ]
        begun = [psutil.Process(pid).create_time() for pid in pids if pid is not None]
    except psutil.Error:
        return False
    return bool(begun) and min(begun) > (since + _CLOCK_STEP).timestamp()
