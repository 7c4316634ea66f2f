"""A real SeaweedFS for tests, from the binary that a package brings: S3, and an Iceberg REST catalog."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import requests
from pyarrow.fs import FileInfo, FileSelector, S3FileSystem

from headwater.stack.ports import free_port
from tests.support.dagster_api import wait_until

START_S = 60.0
_WEED = Path(sys.executable).with_name("weed")
_PARTS = ("master", "filer", "volume", "s3", "admin")
WAREHOUSES = 60
"""How many warehouses the REST catalog has from the start: only its administrators can make others."""


def filesystem_of(login: Mapping[str, str]) -> S3FileSystem:
    """Return a client with the login of a cell's `s3`."""
    return S3FileSystem(
        access_key=login["access_key_id"],
        secret_key=login["secret_access_key"],
        endpoint_override=login["endpoint"],
        region="us-east-1",
        allow_bucket_creation=True,
    )


class SeaweedfsServer:
    """One server of its owner's own, on loopback, running from the start. Stop it when done.

    Attributes:
        key, secret: the login, of S3 and of the catalog.
    """

    def __init__(self, root: Path) -> None:
        self.key, self.secret = f"KEY{secrets.token_hex(4)}", secrets.token_hex(8)
        self._ports = {name: free_port() for part in _PARTS for name in (part, f"{part}.grpc")}
        self._iceberg = free_port()
        self._tables = [f"tables{number}" for number in range(WAREHOUSES)]
        self._unused = iter(self._tables)
        self._data, self._log = root / "data", root / "seaweedfs.log"
        self._data.mkdir()
        self._process = self._start()

    @property
    def endpoint(self) -> str:
        """The URL of S3."""
        return f"http://127.0.0.1:{self._ports['s3']}"

    def rest(self, warehouse: str) -> dict[str, str]:
        """Return a cell's `catalog`, of REST."""
        login = f"{self.key}:{self.secret}"
        return {"type": "rest", "uri": self._catalog, "warehouse": warehouse, "credential": login}

    @property
    def _catalog(self) -> str:
        return f"http://127.0.0.1:{self._iceberg}"

    @property
    def login(self) -> dict[str, str]:
        """A cell's `s3`."""
        return {
            "endpoint": self.endpoint,
            "access_key_id": self.key,
            "secret_access_key": self.secret,
        }

    def bucket(self, name: str) -> str:
        """Make an empty bucket, and return its URI."""
        self.filesystem().create_dir(name)
        return f"s3://{name}"

    def warehouse(self) -> str:
        """Return the URI of a warehouse of the REST catalog that nobody was given yet."""
        return f"s3://{next(self._unused)}"

    def filesystem(self) -> S3FileSystem:
        """Return a client that may do all."""
        return filesystem_of(self.login)

    def objects(self, location: str) -> set[str]:
        """Return what lies below a URI: buckets and keys."""
        selector = FileSelector(location.removeprefix("s3://"), recursive=True)
        return {one.path for one in self.filesystem().get_file_info(selector) if one.is_file}

    def stop(self) -> None:
        """Shut it down."""
        self._process.terminate()
        self._process.wait(60)

    def start(self) -> None:
        """Start it again, on the same data and ports."""
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [
            str(_WEED), "mini", f"-dir={self._data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-webdav=false", "-admin.ui=false", "-master.telemetry=false", "-s3.autoCreateBucket=false",
            "-s3.port.lance=0", f"-s3.port.iceberg={self._iceberg}", f"-tableBucket={','.join(self._tables)}",
        ]  # fmt: skip
        for name, port in self._ports.items():
            part, _, kind = name.partition(".")
            command.append(f"-{part}.port{'.' if kind else ''}{kind}={port}")
        login = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._data, env={**os.environ, **login}
            )
        wait_until("SeaweedFS", self._answers, START_S)
        return process

    def _answers(self) -> bool | None:
        try:
            requests.get(f"{self._catalog}/v1/config", timeout=1).raise_for_status()
            return {*self._tables} <= {one.path for one in self._buckets()} or None
        except OSError:
            return None

    def _buckets(self) -> list[FileInfo]:
        found: list[FileInfo] = self.filesystem().get_file_info(FileSelector(""))
        return found
