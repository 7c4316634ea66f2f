"""Whether a process lives, as the system tells."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from pipeline.supervision.liveness import ProcessState
from pipeline.supervision.processes import is_listening, process_state


def a_child() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def test_a_process_lives_until_it_is_killed_though_nobody_has_asked_for_its_end() -> None:
    with a_child() as child:
        now = datetime.now(UTC)
        assert process_state(child.pid, now) is ProcessState.ALIVE
        child.kill()
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert process_state(child.pid, now) is ProcessState.GONE
    assert process_state(child.pid, now) is ProcessState.GONE


def test_a_process_that_began_later_has_the_number_of_one_that_is_gone() -> None:
    with a_child() as child:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        assert process_state(child.pid, long_ago) is ProcessState.GONE
        child.kill()


def test_a_socket_listens_as_long_as_its_process_has_it(tmp_path: Path) -> None:
    path, now = tmp_path / "socket", datetime.now(UTC)
    assert not is_listening(str(path), now)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert is_listening(str(path), now)
    assert path.exists(), "what a killed server leaves"
    assert not is_listening(str(path), now)


def test_a_port_listens_as_long_as_its_process_has_it() -> None:
    now = datetime.now(UTC)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = ("127.0.0.1", int(server.getsockname()[1]))
        assert is_listening(address, now)
    assert not is_listening(address, now)


def test_who_began_to_listen_at_a_port_later_is_another_than_who_was_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = ("127.0.0.1", int(server.getsockname()[1]))
        assert not is_listening(address, datetime.now(UTC) - timedelta(days=365))
