"""The table of commands has every one, its options and what it ends with."""

from __future__ import annotations

import pytest

from docs.commands import EVERYWHERE, NO, CommandLine, command_lines, page
from pipeline.settings import PROJECT

COMMANDS = command_lines()
WITHOUT_JSON = ("demo", "jars", "serve ")
"""Commands that report to people alone, and parts of the stack, which do not report."""


def test_the_page_is_what_the_commands_say() -> None:
    written = (PROJECT / "docs" / "reference" / "commands.md").read_text()
    assert written == page(COMMANDS), "python -m docs.commands > docs/reference/commands.md"


def test_every_command_that_may_say_no_is_told_where() -> None:
    assert {one.name for one in COMMANDS if one.may_say_no} == NO.keys()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_options_are_the_same_everywhere(command: CommandLine) -> None:
    assert ("--json" in command.options) != command.name.startswith(WITHOUT_JSON)
    assert EVERYWHERE[0] in command.options
    of_a_product = "PRODUCT" in command.arguments and not command.name.startswith("contract ")
    assert not of_a_product or "--cell" in command.options
