"""Which parts of Dagster are left alone where its storage is another than before."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from headwater.stack.dagster.instance import INSTANCE
from headwater.stack.dagster.parts import DagsterParts
from headwater.stack.dagster.storage import IN_POSTGRESQL, VARIABLE
from headwater.stack.parts import DAEMON, DATA_DOCS, WEBSERVER
from headwater.stack.process import start_detached
from headwater.stack.state import StackState
from pipeline.settings import Settings, load_settings

ELSEWHERE = "postgresql+psycopg2://me:hush@db/dagster"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a home whose Dagster has no code location, and had none before."""
    (tmp_path / "dagster").mkdir()
    for folder in (tmp_path, tmp_path / "dagster"):
        (folder / "workspace.yaml").write_text("load_from: []\n")
    return replace(load_settings(), home=tmp_path)


@pytest.mark.parametrize("uri", [None, ELSEWHERE])
@pytest.mark.parametrize("before", [None, "", ELSEWHERE, ELSEWHERE.replace("hush", "word")])
def test_what_has_another_storage_than_it_should_is_ended(
    settings: Settings, uri: str | None, before: str | None
) -> None:
    state, said = StackState("token", ports={DATA_DOCS: 9}), list[str]()
    inherited = {name: text for name, text in os.environ.items() if name != VARIABLE}
    environment = inherited if before is None else {**inherited, VARIABLE: before}
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    for name in (DATA_DOCS, WEBSERVER, DAEMON):
        log = settings.home / f"{name}.log"
        state.processes[name] = start_detached(sleep, log, environment, settings.home)
    started = dict(state.processes)
    while not all(process.environment() for process in started.values()):
        time.sleep(0.01)
    try:
        of_dagster = DagsterParts(settings, state, {}, uri, said.append)
        assert list(of_dagster.up_code_servers(settings.home / "workspace.yaml")) == []
        is_kept = (before or None) == uri
        for name in (WEBSERVER, DAEMON):
            assert started[name].alive == is_kept
            assert (name in state.processes) == is_kept
        assert started[DATA_DOCS].alive
        assert "hush" not in " ".join(said)
    finally:
        for process in started.values():
            process.stop()
    written = (settings.home / "dagster" / "dagster.yaml").read_text()
    assert written.startswith(INSTANCE.read_text())
    assert written.endswith(IN_POSTGRESQL) == (uri is not None)
    assert ("Sqlite" in written) == (uri is None)
