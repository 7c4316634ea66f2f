"""Options of parts of the stack: where they listen, and where they find others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from headwater.stack.defaults import CODE_SERVER_PORT, WEB_PORT
from headwater.stack.ports import LOOPBACK, Address, parse_address

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class AddressType(click.ParamType[Address]):
    """`host:port`."""

    name = "HOST:PORT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Return the address, or fail with what is wrong."""
        try:
            return value if isinstance(value, Address) else parse_address(value)
        except ValueError:
            self.fail(f"{value!r} is not host:port, as {LOOPBACK}:{WEB_PORT} is.", param, ctx)


class LocationType(click.ParamType[tuple[str, Address]]):
    """`location=host:port`."""

    name = "LOCATION=HOST:PORT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Address]:
        """Return both, or fail with what is wrong."""
        location, _, where = value.partition("=")
        return location, AddressType().convert(where, param, ctx)


def listen_option(port: int | None) -> Callable[[Decorated], Decorated]:
    """Return the option `--listen`, by default a port of loopback; None has the command choose one."""
    default = None if port is None else Address(LOOPBACK, port)
    return click.option(
        "--listen", type=AddressType(), default=default, show_default=port is not None,
        help="Where it listens.",
    )  # fmt: skip


explain_option = click.option("--explain", is_flag=True, help="Print what would run, and end.")
workspace_option = click.option(
    "--workspace",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Dagster workspace file.  [default: the project's workspace.yaml]",
)
code_option = click.option(
    "--code-server", "code", multiple=True, type=LocationType(),
    help=f"Where a location is served.  [default: {LOOPBACK}, from port {CODE_SERVER_PORT} on]",
)  # fmt: skip
