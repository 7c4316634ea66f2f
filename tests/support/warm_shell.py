"""The `headwater` command and Python snippets, each in a process of its own that is spared the imports.

A server process imports once what they use, and forks for each. Run as a module, this is the server.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headwater.cli.main import main
from pipeline.settings import PROJECT

# What commands import only when they are run.
USED = (
    "duckdb",
    "great_expectations",
    "headwater.produce.file",
    "headwater.produce.generated",
    "pipeline.batch.execute",
    "pipeline.features.historical_features",
    "pipeline.ingest.run",
    "pipeline.ledger.verify",
    "pipeline.maintenance.run",
    "pyspark.sql",
    "quality.auditor",
    "sqlalchemy.dialects.sqlite",
)


@dataclass(frozen=True)
class Done:
    """How a command or a snippet ended."""

    code: int
    out: str
    err: str


class WarmShell:
    """Runs commands and snippets in a folder. Close it at the end."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm_shell"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def headwater(self, arguments: list[str], within_s: float) -> Done:
        """Run the command with its arguments.

        Raises:
            TimeoutError: it was still running after `within_s`.
        """
        return self._ask({"arguments": arguments}, within_s)

    def python(self, snippet: str, within_s: float) -> Done:
        """Run Python code as a program; raises as `headwater`."""
        return self._ask({"python": snippet}, within_s)

    def close(self) -> None:
        """End the server."""
        with self._server:
            self._server.kill()

    def _ask(self, request: Mapping[str, object], within_s: float) -> Done:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            wanted = {**request, "out": str(out), "err": str(err)}
            self._server.stdin.write(json.dumps(wanted) + "\n")
            self._server.stdin.flush()
            with selectors.DefaultSelector() as answered:
                answered.register(self._server.stdout, selectors.EVENT_READ)
                if not answered.select(within_s):
                    raise TimeoutError(f"{request} after {within_s} s: {err.read_text()}")
            code = int(self._server.stdout.readline())
            return Done(code, out.read_text(), err.read_text())


def serve() -> None:
    """Fork for each request of standard input, and answer with its exit code, until there are no more."""
    for name in USED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer


def _run(request: Mapping[str, str]) -> None:
    for stream, path in ((1, request["out"]), (2, request["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    if "python" in request:
        exec(compile(request["python"], "snippet", "exec"), {"__name__": "__main__"})  # noqa: S102 - of our pages
        return
    sys.argv = ["headwater", *request["arguments"]]
    main()


if __name__ == "__main__":
    serve()
