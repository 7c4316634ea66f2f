"""Serving Data Docs: each cell's site, and nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from headwater.stack.data_docs import is_serving, server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one cell that has a site and one that has none."""
    tmp_path = tmp_path_factory.mktemp("home")
    site = tmp_path / "cells" / "us" / "data_docs"
    page = site / "validations" / "orders" / "sales" / "run 1" / "20260101T" / "2026-01-01T05.html"
    page.parent.mkdir(parents=True)
    page.write_text("an hour's validation")
    (site / "index.html").write_text("the index")
    (site / "validations" / "1.html").write_text("a validation")
    (site / "lineage").mkdir()
    (site / "lineage" / "orders.html").write_text("what orders come from")
    (tmp_path / "cells" / "us" / "state.db").write_text("private")
    (site / "way-out").symlink_to("../state.db")
    (tmp_path / "cells" / "eu").mkdir()
    (tmp_path / "stack.json").write_text("private")
    return tmp_path


@pytest.fixture(scope="module")
def port(home: Path) -> Iterator[int]:
    with server(home, 0) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_each_cells_site_is_served_below_its_name(port: int) -> None:
    assert is_serving(port)
    assert get(port, "/us/") == (200, "the index")
    assert get(port, "/us/validations/1.html?x=1") == (200, "a validation")
    listed = get(port, "/")[1]
    assert 'href="/us/"' in listed
    assert "/eu/" not in listed
    (link,) = re.findall(r'href="(/us/validations/[^"]+)"', listed)
    assert get(port, link) == (200, "an hour's validation")
    assert 'href="/us/lineage/orders.html"' in listed
    assert get(port, "/us/lineage/orders.html") == (200, "what orders come from")


@pytest.mark.parametrize(
    "path",
    [
        "/us/validations/",
        "/us/../state.db",
        "/us/%2e%2e/state.db",
        "/us/..%2fstate.db",
        "/us/way-out",
        "/../stack.json",
        "/%2e%2e/stack.json",
        "/us//etc/passwd",
        "//etc/passwd",
        "/%00",
        "/eu/",
        "/nobody/index.html",
    ],
)
def test_nothing_beside_a_site_is_served(port: int, path: str) -> None:
    status, body = get(port, path)
    assert status == 404
    assert "private" not in body
