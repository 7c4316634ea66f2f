"""The `headwater` command: finds the group asked for, and turns named errors into exit codes."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from headwater.cli.verbose import Verbosity, with_verbose
from headwater.extras import extra_missing
from headwater.without_pandas import without_pandas
from pipeline.disk import disk_full, is_full
from pipeline.errors import ExitCode, HeadwaterError

# Loaded only when asked for, each with what it imports: see the package.
COMMANDS = {
    "init": "headwater.cli.init:init",
    "upgrade": "headwater.cli.upgrade:upgrade",
    "up": "headwater.cli.stack:up",
    "down": "headwater.cli.stack:down",
    "status": "headwater.cli.stack:status",
    "serve": "headwater.cli.deploy.serve:serve",
    "jars": "headwater.cli.deploy.jars:jars",
    "config": "headwater.cli.config.commands:config",
    "doctor": "headwater.cli.config.doctor:doctor",
    "contract": "headwater.cli.contract.commands:contract",
    "produce": "headwater.cli.produce:produce",
    "ingest": "headwater.cli.ingest:ingest",
    "ledger": "headwater.cli.ledger:ledger",
    "trace": "headwater.cli.lineage.trace:trace",
    "sql": "headwater.cli.lineage.sql:sql",
    "impact": "headwater.cli.lineage.impact:impact",
    "why": "headwater.cli.lineage.why:why",
    "dead-letters": "headwater.cli.dead_letters.commands:dead_letters",
    "hours": "headwater.cli.hours.commands:hours",
    "features": "headwater.cli.features:features",
    "openlineage": "headwater.cli.openlineage.commands:openlineage",
    "lineage": "headwater.cli.lineage.commands:lineage",
    "maintain": "headwater.cli.maintain:maintain",
    "state": "headwater.cli.config.state:state",
    "recover": "headwater.cli.recover:recover",
    "demo": "headwater.cli.demo:demo",
}


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class LazyGroup(click.Group):
    """A group whose commands are imported when first needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is not a command")
        return with_verbose(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name; of one that there is not, ask which was meant."""
        from pipeline.config.nearest import nearest

        # Click looks among the commands that are imported, which none is yet.
        if (
            not ctx.resilient_parsing
            and args[0] not in COMMANDS
            and (near := nearest(args[0], COMMANDS))
        ):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near!r}?")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings=SETTINGS)
@click.version_option(package_name="headwater")
def cli() -> None:
    """Headwater: Kafka topics to Iceberg tables you can prove things about."""


def main() -> None:
    """Run the command line and exit with a documented code."""
    if _reads_metadata(sys.argv[1:]):
        without_pandas()
    verbosity = Verbosity()
    try:
        code = cli(standalone_mode=False, obj=verbosity)
    except HeadwaterError as error:
        if verbosity.asked:
            traceback.print_exc()
        _fail(error)
    except ModuleNotFoundError as error:
        if (missing := extra_missing(error)) is None:
            _fail_unexpected(error, verbosity)
        _fail(missing)
    except OSError as error:
        # Wherever it strikes: logs, locks and what libraries write are not all named where it happens.
        if not is_full(error):
            _fail_unexpected(error, verbosity)
        _fail(disk_full(error, error.filename or Path.cwd(), error.filename or "a file"))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - nothing is behind it but the shell
        _fail_unexpected(error, verbosity)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def _reads_metadata(words: Sequence[str]) -> bool:
    command = words[0] if words else ""
    does = {"hours": {"build", "preview"}, "dead-letters": {"replay", "discard", "feed"}}
    if command in does:
        return not does[command] & set(words)
    return command in ("ledger", "lineage", "sql", "trace", "impact", "why", "status", "doctor")


def _fail_unexpected(error: Exception, verbosity: Verbosity) -> NoReturn:
    """Tell of an error without a name, which is a mistake of Headwater's or of code that it was given."""
    if verbosity.asked:
        traceback.print_exc()
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    told = "" if verbosity.asked else " Run it again with --verbose to see where it comes from."
    click.echo(f"unexpected error: {said}.{told}", err=True)
    sys.exit(ExitCode.UNEXPECTED)


def _fail(error: HeadwaterError) -> NoReturn:
    click.echo(f"error: {error}", err=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
