"""What the command line says of itself, and of words it does not know."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from headwater.cli.main import cli
from headwater.cli.options import cell_option
from pipeline.cells import embedded_cell, save_cell
from pipeline.settings import PROJECT


def commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if (found := command.get_command(context, name)) is not None:
                yield from commands(found)


def examples() -> Iterator[str]:
    for command in commands(cli):
        lines = (command.help or "").replace("\\\n", " ").splitlines()
        yield from (line.strip() for line in lines if line.strip().startswith("headwater "))


def test_what_is_nearly_a_command_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(PROJECT / "contracts"))
    told = CliRunner().invoke(cli, ["hours", "buld", "viewing_events", "--cell", "us"])
    assert told.exit_code == 2
    assert "No such command 'buld'. Did you mean 'build'?" in told.output
    assert "Usage: cli hours [OPTIONS] COMMAND" in told.output


def test_a_product_may_be_called_nearly_as_a_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "builds").mkdir()
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(tmp_path))
    told = CliRunner().invoke(cli, ["hours", "builds", "--last", "none"])
    assert "Invalid value for '--last'" in told.output


@click.command()
@cell_option
def tell(cell: str) -> None:
    click.echo(f"it is {cell}")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ((), "There is no cell yet: run `headwater up`"),
        (("us",), "it is us"),
        (("eu", "us"), "There are several cells: name one of eu, us with --cell."),
    ],
)
def test_the_cell_may_be_left_out_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cells: tuple[str, ...], told: str
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    for cell in cells:
        save_cell(tmp_path, embedded_cell(tmp_path, cell, "127.0.0.1:9"))
    assert told in CliRunner().invoke(tell).output


@pytest.mark.parametrize("example", [*examples()])
def test_an_example_of_the_help_is_a_command_line_that_is_understood(example: str) -> None:
    words = shlex.split(example, comments=True)[1:]
    for end in ("|", ">", "&&"):
        words = words[: words.index(end)] if end in words else words
    command: click.Command = cli
    context = click.Context(cli, info_name="headwater")
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=found.name)
    unknown = (click.NoSuchOption, click.MissingParameter, click.BadArgumentUsage)
    try:
        command.make_context(command.name, words)
    except unknown as error:
        pytest.fail(error.format_message())
    except click.BadParameter:
        """A file that it names is not here."""


@pytest.mark.parametrize("hour", ["2026", "noon", "2026-01-01T05:30", "%Y-%m-%dT%H"])
def test_what_is_no_hour_is_shown_one(hour: str) -> None:
    told = CliRunner().invoke(cli, ["hours", "build", "orders", "--cell", "us", "--hour", hour])
    assert told.exit_code == 2
    assert "2026-01-01T05 is one" in told.output
    assert "%Y" not in told.output.replace(hour, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["produc"], "Did you mean 'produce'?"),
        (["contract", "chek"], "Did you mean 'check'?"),
        (["hours", "prewiew", "orders"], "Did you mean 'preview'?"),
    ],
)
def test_a_misspelt_command_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], told: str
) -> None:
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(tmp_path))
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, told in done.output) == (2, True), done.output


@pytest.mark.parametrize(
    ("words", "begun", "completed"),
    [
        (["ho"], "ho", {"hours"}),
        (["contract"], "ch", {"check"}),
        (["ledger"], "view", {"viewing_events"}),
        (["ledger", "viewing_events", "--cell"], "st", {"studio"}),
        (["ledger", "viewing_events"], "--ver", {"--verify", "--verbose"}),
    ],
)
def test_the_shell_completes(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
    begun: str,
    completed: set[str],
) -> None:
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(PROJECT / "contracts"))
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    for cell in ("us", "studio"):
        save_cell(tmp_path, embedded_cell(tmp_path, cell, "127.0.0.1:9"))
    before = words[:-1] if words[-1] == begun else words
    shell = BashComplete(cli, {}, "headwater", "_HEADWATER_COMPLETE")
    assert {one.value for one in shell.get_completions(before, begun)} == completed
