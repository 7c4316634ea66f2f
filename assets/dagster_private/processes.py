"""Dagster's processes: the daemon, code servers, forked runs. Importing this imports no Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DAEMON = "dagster._daemon"
"""The module that `dagster-daemon` runs, for `python -m`: the command may be on nobody's path."""


class CodeServer:
    """A code server on a port, asked as the webserver and the daemon ask it."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        """Connect anew with each question."""
        from dagster._grpc.client import DagsterGrpcClient

        self._client = DagsterGrpcClient(port=port, host=host)

    def answers(self) -> bool:
        """Whether it answers, and the process behind it that has the code does, too."""
        from dagster._core.errors import DagsterUserCodeUnreachableError

        try:
            return bool(self._client.get_server_id(timeout=30))
        except DagsterUserCodeUnreachableError:
            return False

    def reload(self) -> bool:
        """Have it load its code in a new process; return whether that answers.

        What the former one has started goes on, and the former one ends after it. What is wrong with the code
        is told to whoever asks for it.
        """
        from dagster._core.errors import DagsterUserCodeUnreachableError

        try:
            self._client.reload_code(timeout=600)
        except DagsterUserCodeUnreachableError:
            return False
        return self.answers()


def serve_code_by(module: str) -> None:
    """Let a code server that this process starts run the code behind it by `python -m module`.

    `module` takes the arguments of Dagster's command line.
    """
    import sys

    from dagster._grpc import server

    command = [sys.executable, "-m", module]
    vars(server).update(get_python_environment_entry_point=lambda _executable: command)


RUN_MODULES = (
    "dagster._grpc.impl",
    "dagster._core.instance.factory",
    "dagster._core.launcher.default_run_launcher",
    "dagster._core.run_coordinator.queued_run_coordinator",
    "dagster._core.scheduler.scheduler",
    "dagster._core.secrets.loader",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "fsspec.implementations.local",
    "upath.implementations.local",
)
"""What Dagster imports in a run before it loads the code of the location."""


def fork_runs(preload: str) -> None:
    """Let a code server of this process fork its runs from one process, which imports `preload` first.

    Dagster starts an interpreter for each run. The module `preload` must start no thread of Python; it is
    imported as soon as the server serves its code, and not at the first run, which would wait for it.
    """
    import multiprocessing
    from multiprocessing import forkserver
    from types import SimpleNamespace

    from dagster._grpc import server

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*RUN_MODULES, preload])
    vars(server).update(
        multiprocessing=SimpleNamespace(get_context=lambda _method: context),
        start_run_in_subprocess=start_forked_run,
    )
    serve: Callable[[server.DagsterGrpcServer], None] = server.DagsterGrpcServer.serve

    def serve_and_preload(self: server.DagsterGrpcServer) -> None:
        # Not before: a stack that starts waits for the code, beside which it would be imported.
        forkserver.ensure_running()
        serve(self)

    vars(server)["DagsterGrpcServer"].serve = serve_and_preload


def start_forked_run(*args: object) -> None:
    """Run in a forked process as Dagster does in one of its own, with what is to be done at its exit."""
    import atexit

    from dagster._grpc import impl

    try:
        vars(impl)["start_run_in_subprocess"](*args)
    finally:
        # A process that `multiprocessing` forks skips it.
        atexit._run_exitfuncs()  # noqa: SLF001 - no public name
