"""Parts that something else keeps running are planned as `headwater up` starts them."""

from __future__ import annotations

import pytest
import yaml

from headwater.stack.code_servers.launch import code_server_command
from headwater.stack.code_servers.workspace import read_workspace
from headwater.stack.dagster.launch import webserver_command
from headwater.stack.defaults import WORKSPACE
from headwater.stack.foreground import DagsterServing, LocationNotFoundError
from headwater.stack.ports import Address, parse_address
from pipeline.settings import load_settings

SETTINGS = load_settings()
US = read_workspace(WORKSPACE)
ELSEWHERE = Address("code-us", 4000)


def test_by_default_each_part_is_found_on_loopback() -> None:
    serving = DagsterServing(SETTINGS, US, {})
    assert serving.addresses() == {"us": Address("127.0.0.1", 4000)}
    planned = serving.code_server("us", None)
    (location,) = US.locations
    assert [*planned.arguments] == code_server_command(
        location, Address("127.0.0.1", 4000), SETTINGS
    )
    assert planned.workspace is None


def test_the_webserver_waits_for_code_and_the_daemon_for_both() -> None:
    serving = DagsterServing(SETTINGS, US, {}, {"us": ELSEWHERE})
    web = Address("0.0.0.0", 3000)  # noqa: S104 - planned, not bound
    planned = serving.webserver(web)
    assert planned.workspace is not None
    path, text = planned.workspace
    assert [*planned.arguments] == webserver_command(web, path, ["code:code-us:4000"], SETTINGS)
    (entry,) = yaml.safe_load(text)["load_from"]
    assert entry["grpc_server"] == {"host": "code-us", "port": 4000, "location_name": "us"}
    daemon = serving.daemon(Address("webserver", 3000))
    assert "code:code-us:4000,web:webserver:3000" in daemon.arguments
    assert daemon.workspace is not None
    assert daemon.workspace[0] != path


def test_what_is_planned_shows_no_variable() -> None:
    serving = DagsterServing(
        SETTINGS, US, {"HEADWATER_DAGSTER__STORAGE_URI": "postgresql://me:hush@db/d"}
    )
    assert "hush" not in f"{serving} {serving.code_server('us', None)}"


def test_a_location_that_there_is_not_is_named() -> None:
    with pytest.raises(LocationNotFoundError, match="code location eu: the workspace lists us"):
        DagsterServing(SETTINGS, US, {}).code_server("eu", None)
    with pytest.raises(LocationNotFoundError):
        DagsterServing(SETTINGS, US, {}, {"eu": ELSEWHERE}).webserver(Address("127.0.0.1", 3000))


@pytest.mark.parametrize("text", ["3000", ":3000", "host:", "host:web", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not host:port|invalid literal"):
        parse_address(text)
