"""`headwater serve`: one part of the stack in the foreground, for systemd and containers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.deploy.addresses import (
    AddressType,
    code_option,
    explain_option,
    listen_option,
    workspace_option,
)
from headwater.cli.options import cell_option
from headwater.stack.defaults import (
    DATA_DOCS_PORT,
    SCHEMA_REGISTRY_PORT,
    WEB_PORT,
    workspace_file,
)
from headwater.stack.ports import LOOPBACK, Address
from pipeline.errors import ExitCode
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from headwater.stack.foreground import DagsterServing, Serving


@click.group()
def serve() -> None:
    """Run one part of the stack in the foreground, where something else keeps it running.

    Systemd, a container: what `headwater up` does for one machine. The process becomes the part, logs to
    standard output and ends on SIGTERM. Of one home, use either `headwater up` or this. Nothing here asks for
    a password: whoever reaches a part that listens beyond loopback may use it.
    """


@serve.command(name="code-server")
@click.argument("location", metavar="LOCATION")
@listen_option(None)
@workspace_option
@explain_option
def code_server(
    location: str, listen: Address | None, workspace: Path | None, explain: bool
) -> ExitCode:
    """Serve the code location LOCATION, and run what it launches: ingests, hours, maintenance.

    Its Spark needs jars: `headwater jars` fetches them.

    \b
    Examples:
      headwater serve code-server us
      headwater serve code-server us --listen 0.0.0.0:4000
    """
    return _run(_of_dagster(workspace, ()).code_server(location, listen), explain=explain)


@serve.command()
@listen_option(WEB_PORT)
@code_option
@workspace_option
@explain_option
def webserver(
    listen: Address, code: tuple[tuple[str, Address], ...], workspace: Path | None, explain: bool
) -> ExitCode:
    """Serve Dagster's UI, once the code servers answer.

    \b
    Examples:
      headwater serve webserver
      headwater serve webserver --listen 0.0.0.0:3000 --code-server us=code-us:4000
    """
    return _run(_of_dagster(workspace, code).webserver(listen), explain=explain)


@serve.command()
@click.option(
    "--webserver", type=AddressType(), default=Address(LOOPBACK, WEB_PORT), show_default=True,
    help="The webserver, which it waits for.",
)  # fmt: skip
@code_option
@workspace_option
@explain_option
def daemon(
    webserver: Address,
    code: tuple[tuple[str, Address], ...],
    workspace: Path | None,
    explain: bool,
) -> ExitCode:
    """Run Dagster's daemon, once the webserver and the code servers answer. One a home.

    \b
    Examples:
      headwater serve daemon
      headwater serve daemon --webserver webserver:3000 --code-server us=code-us:4000
    """
    return _run(_of_dagster(workspace, code).daemon(webserver), explain=explain)


@serve.command(name="schema-registry")
@cell_option
@listen_option(SCHEMA_REGISTRY_PORT)
@explain_option
def schema_registry(cell: str, listen: Address, explain: bool) -> ExitCode:
    """Serve the schema registry of a cell that has none of its user's own.

    \b
    Example:
      headwater serve schema-registry --cell us
    """
    return _module("headwater.schema_registry.serve", cell, listen=listen, explain=explain)


@serve.command(name="data-docs")
@listen_option(DATA_DOCS_PORT)
@explain_option
def data_docs(listen: Address, explain: bool) -> ExitCode:
    """Serve the Data Docs of every cell.

    \b
    Example:
      headwater serve data-docs
    """
    return _module("headwater.stack.data_docs", listen=listen, explain=explain)


def _of_dagster(workspace: Path | None, code: tuple[tuple[str, Address], ...]) -> DagsterServing:
    from headwater.stack.code_servers.workspace import read_workspace
    from headwater.stack.dagster.instance import process_environment
    from headwater.stack.dagster.storage import storage_uri
    from headwater.stack.foreground import DagsterServing
    from headwater.stack.process import inherited_environment

    settings = load_settings()
    uri = storage_uri(settings.home)
    docs = settings.data_docs or Address(LOOPBACK, DATA_DOCS_PORT).url
    environment = process_environment(settings, inherited_environment(settings), uri or "", docs)
    found = read_workspace(workspace or workspace_file(settings))
    return DagsterServing(settings, found, environment, dict(code))


def _module(module: str, *arguments: str, listen: Address, explain: bool) -> ExitCode:
    from headwater.stack.foreground import module_serving
    from headwater.stack.process import inherited_environment

    settings = load_settings()
    words = (str(settings.home), *arguments, str(listen.port), listen.host)
    return _run(module_serving(inherited_environment(settings), module, *words), explain=explain)


def _run(serving: Serving, *, explain: bool) -> ExitCode:
    from headwater.stack.foreground import become

    if not explain:
        become(serving, load_settings())
    click.echo(shlex.join(serving.arguments))
    return ExitCode.OK
