"""The `headwater` command in this process: where many are run, and starting each would take seconds."""

from __future__ import annotations

import logging
import sys

import pytest

from headwater.cli.main import main
from pipeline.cells import Cell, save_cell
from pipeline.contract.model import Product
from tests.support.commands import Result


class CommandHere:
    """The command line of a cell's home, with the folder of contracts that `product` lies in."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        cell: Cell,
        product: Product,
    ) -> None:
        home = cell.root.parent.parent
        save_cell(home, cell)
        monkeypatch.setenv("HEADWATER_HOME", str(home))
        monkeypatch.setenv("HEADWATER_CONTRACTS", str(product.folder.parent))
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str) -> Result:
        """Run to the end. An error that the command does not name is raised, as a traceback would be."""
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["headwater", *arguments])
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            # As after a process of its own: nothing that is logged later is written.
            root.handlers[:] = handlers
            root.setLevel(level)
        said = self._capsys.readouterr()
        return Result(int(ended.value.code or 0), said.out, said.err)
