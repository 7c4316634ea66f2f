"""deploy/nginx/headwater.conf before a real webserver: no page and no WebSocket without the password."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from headwater.stack.dagster.launch import is_serving
from headwater.stack.ports import free_port
from pipeline.settings import PROJECT
from tests.support.certificates import self_signed
from tests.support.dagster_api import wait_until
from tests.support.nginx import serving

SITE = PROJECT / "deploy" / "nginx" / "headwater.conf"
NAME = "https://headwater.example.com"
SERVE = "from headwater.cli.main import main\nmain()\n"
RIGHT = ("someone", "right")
SUBSCRIPTION = """subscription { pipelineRunLogs(runId: "absent") {
    ... on PipelineRunLogsSubscriptionFailure { missingRunId } } }"""


@dataclass(frozen=True)
class Proxy:
    """The UI as its users reach it."""

    port: int
    context: ssl.SSLContext

    def get(self, login: tuple[str, str] | None = None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/", headers={**authorization(login), **headers}
        )
        try:
            with urllib.request.urlopen(request, context=self.context) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def subscribe(self, login: tuple[str, str] | None, origin: str = NAME) -> ClientConnection:
        return connect(
            f"wss://127.0.0.1:{self.port}/graphql",
            ssl=self.context,
            subprotocols=[Subprotocol("graphql-ws")],
            additional_headers=authorization(login),
            origin=Origin(origin),
        )


def authorization(login: tuple[str, str] | None) -> dict[str, str]:
    if login is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}


@pytest.fixture(scope="module")
def webserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A webserver with no code location, on loopback."""
    root, port = tmp_path_factory.mktemp("webserver"), free_port()
    (root / "workspace.yaml").write_text("load_from: []\n")
    words = ["serve", "webserver", "--workspace", str(root / "workspace.yaml")]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, *words, "--listen", f"127.0.0.1:{port}"],
            env={**os.environ, "HEADWATER_HOME": str(root / "home")},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until("the webserver", partial(is_serving, port), 120)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, webserver: int) -> Iterator[Proxy]:
    root, port = tmp_path_factory.mktemp("nginx"), free_port()
    certificate = self_signed(root)
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", RIGHT[1]], capture_output=True, text=True, check=True
    )
    (root / "htpasswd").write_text(f"{RIGHT[0]}:{hashed.stdout}")
    site = SITE.read_text()
    for there, here in {
        "443 ssl": f"127.0.0.1:{port} ssl",
        "/etc/nginx/headwater.pem": str(certificate),
        "/etc/nginx/headwater.htpasswd": str(root / "htpasswd"),
        "127.0.0.1:3000": f"127.0.0.1:{webserver}",
    }.items():
        assert there in site
        site = site.replace(there, here)
    with serving(root, site):
        found = Proxy(port, ssl.create_default_context(cafile=str(certificate)))
        wait_until("nginx", partial(answers, found), 20)
        yield found


def answers(proxy: Proxy) -> bool:
    try:
        return proxy.get()[0] > 0
    except OSError:
        return False


@pytest.mark.parametrize("login", [None, ("someone", "wrong"), ("nobody", "right")])
def test_without_the_password_there_is_no_page_and_no_socket(
    proxy: Proxy, login: tuple[str, str] | None
) -> None:
    code, page = proxy.get(login)
    assert (code, "Dagster" in page) == (401, False)
    with pytest.raises(InvalidStatus) as refused, proxy.subscribe(login):
        pass
    assert refused.value.response.status_code == 401


def test_with_it_the_ui_and_its_socket_answer(proxy: Proxy) -> None:
    code, page = proxy.get(RIGHT)
    assert (code, "Dagster" in page) == (200, True), page[:500]
    with proxy.subscribe(RIGHT) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {}}))
        assert json.loads(socket.recv(10))["type"] == "connection_ack"
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": SUBSCRIPTION}}))
        told = json.loads(socket.recv(10))
        assert (told["type"], told["id"]) == ("data", "1")
        assert told["payload"]["data"]["pipelineRunLogs"]["missingRunId"] == "absent"


def test_pages_of_others_may_not_use_a_login_that_a_browser_keeps(proxy: Proxy) -> None:
    assert proxy.get(RIGHT, Origin="https://evil.example.com")[0] == 403
    assert proxy.get(RIGHT, Origin=NAME)[0] == 200
    with (
        pytest.raises(InvalidStatus) as refused,
        proxy.subscribe(RIGHT, "https://evil.example.com"),
    ):
        pass
    assert refused.value.response.status_code == 403
