"""What an examination promises: all checks beside each other, and none that hides another."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.cli.main import main
from headwater.doctor.examine import examine
from headwater.doctor.model import Check, Finding, Outcome, Setup, exit_code, well
from headwater.doctor.settings import CONTRACTS, SETTINGS
from pipeline.cells import Cell
from pipeline.errors import ExitCode, RetryableError, TerminalError
from pipeline.settings import Settings, load_settings

LIMIT_S = 2.0


class BusyError(RetryableError):
    """Of this test."""


class BrokenError(TerminalError):
    """Of this test."""


@pytest.fixture
def settings(quiet_cell: Cell, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HEADWATER_HOME", str(quiet_cell.root.parent.parent))
    return load_settings()


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def fine(setup: Setup) -> tuple[Finding, ...]:
    return (well("fine", setup.cell.name, "it is well."),)


def busy(setup: Setup) -> tuple[Finding, ...]:
    raise BusyError("it is busy.", subject=setup.cell.name, remedy="Wait.")


def broken(setup: Setup) -> tuple[Finding, ...]:
    raise BrokenError("it is broken.", subject=setup.cell.name, remedy="Mend it.")


def told(settings: Settings, *checks: Check) -> dict[str, Finding]:
    found = examine(settings, "us", checks, LIMIT_S)
    assert [one.check for one in found[:2]] == [SETTINGS, CONTRACTS]
    assert all(one.outcome is Outcome.WELL for one in found[:2]), found
    return {one.check: one for one in found[2:]}


def test_what_is_wrong_is_told_with_object_remedy_and_exit_code(settings: Settings) -> None:
    found = told(settings, Check("busy", busy), Check("broken", broken), Check("fine", fine))
    assert list(found) == ["busy", "broken", "fine"]
    assert (found["busy"].subject, found["busy"].remedy) == ("us", "Wait.")
    assert (found["broken"].error, found["broken"].exit_code) == ("BrokenError", 3)
    assert found["fine"].outcome is Outcome.WELL
    assert exit_code((found["fine"],)) is ExitCode.OK
    assert exit_code((found["fine"], found["busy"])) is ExitCode.RETRYABLE
    assert exit_code(tuple(found.values())) is ExitCode.TERMINAL


def test_what_another_must_be_well_for_is_not_asked(settings: Settings) -> None:
    found = told(settings, Check("busy", busy), Check("fine", fine, after="busy"))
    assert found["fine"].outcome is Outcome.NOT_ASKED
    assert found["fine"].what == "busy is not well."


def test_a_check_that_hangs_is_told_and_keeps_none_of_the_others(
    settings: Settings, released: threading.Event
) -> None:
    def hang(setup: Setup) -> tuple[Finding, ...]:
        released.wait()
        return fine(setup)

    checks = (Check("hangs", hang), Check("later", fine, after="hangs"), Check("fine", fine))
    begun = time.monotonic()
    found = told(settings, *checks)
    assert time.monotonic() - begun < LIMIT_S + 1
    assert found["hangs"].unanswered
    assert (found["hangs"].what, found["hangs"].exit_code) == ("no answer within 2 s.", 4)
    assert found["later"].outcome is Outcome.NOT_ASKED
    assert found["fine"].outcome is Outcome.WELL


def test_an_error_without_a_name_is_a_finding_too(settings: Settings) -> None:
    def unnamed(_: Setup) -> tuple[Finding, ...]:
        raise LookupError("odd")

    found = told(settings, Check("unnamed", unnamed), Check("fine", fine))
    assert (found["unnamed"].error, found["unnamed"].what) == ("LookupError", "odd")
    assert found["fine"].outcome is Outcome.WELL


def test_a_cell_whose_settings_end_in_an_error_without_a_name_is_told_as_that(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(*_: object) -> object:
        raise LookupError("odd")

    monkeypatch.setattr("headwater.doctor.settings.read_setup", odd)
    settings_, later = examine(settings, "us", (Check("fine", fine),), LIMIT_S)
    assert (settings_.check, settings_.error, settings_.what) == (SETTINGS, "LookupError", "odd")
    assert later.outcome is Outcome.NOT_ASKED


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str, str]:
    monkeypatch.setattr("sys.argv", ["headwater", "doctor", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_every_cell_is_examined_and_nothing_is_made(
    settings: Settings,
    quiet_cell: Cell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HEADWATER_CELLS__EU__BOOTSTRAP_SERVERS", "127.0.0.1:9")
    before = sorted(settings.home.rglob("*"))
    code, out, err = run(monkeypatch, capsys, "--json", "--verbose")
    assert code == ExitCode.RETRYABLE, (out, err)
    found = json.loads(out)
    assert not found["ok"]
    outcomes = {
        (one["cell"], one["check"]): (one["outcome"], one["error"]) for one in found["findings"]
    }
    for cell in ("eu", quiet_cell.name):
        assert outcomes[cell, "kafka"] == ("wrong", "BrokerUnavailableError")
        assert outcomes[cell, "topics"] == ("not asked", None)
        for check in ("settings", "registry", "warehouse", "catalog", "state"):
            assert outcomes[cell, check] == ("well", None), check
    assert sorted(settings.home.rglob("*")) == before
    code, out, err = run(monkeypatch, capsys, "--cell", "eu", "--verbose")
    assert code == ExitCode.RETRYABLE, (out, err)
    assert "wrong     eu kafka     127.0.0.1:9: Kafka does not answer" in out
    assert out.endswith("1 faults\n")


def test_a_home_without_cells_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    code, _, err = run(monkeypatch, capsys)
    assert code == ExitCode.TERMINAL
    assert "no cell is configured" in err
    code, out, _ = run(monkeypatch, capsys, "--cell", "xy")
    assert code == ExitCode.TERMINAL
    assert "no such cell is configured" in out
