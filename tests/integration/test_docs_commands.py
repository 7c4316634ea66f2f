"""Every fenced command of README and docs runs, as a reader would run it, or says why no test runs it.

The pages share one clone and one cell, on the suite's broker: the tutorial fills it, others go on from there.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from headwater.stack.broker import KafkaBroker
from pipeline.cells import embedded_cell, save_cell
from pipeline.settings import PROJECT
from tests.support.code_blocks import Block, blocks, commands, shows
from tests.support.warm_shell import Done, WarmShell

# In the order of the site, which is that in which a newcomer reads; the README goes on from the tutorial.
NAV = re.findall(r"\S+\.md$", (PROJECT / "mkdocs.yml").read_text(), re.MULTILINE)
PAGES = [f"docs/{page}" for page in NAV]
PAGES.insert(PAGES.index("docs/tutorial/index.md") + 1, "README.md")
RUN = {page: [block for block in blocks(PROJECT, page) if not block.unrun] for page in PAGES}
LIMIT_S = 300.0
pytestmark = pytest.mark.timeout(900)


class Clone:
    """A folder as a clone is after `make setup` and `headwater up`, but for Dagster."""

    def __init__(self, root: Path, broker: KafkaBroker) -> None:
        self.root = root
        shutil.copytree(PROJECT / "contracts", root / "contracts")
        for contract in root.glob("contracts/*/contract.yaml"):
            # Topics of its own on the suite's broker.
            text = re.sub(r"(physicalName: \w+)", r"\1_of_docs", contract.read_text())
            contract.write_text(text)
        home = root / ".headwater"
        save_cell(home, embedded_cell(home, "us", broker.bootstrap_servers))
        folders = {"HEADWATER_HOME": str(home), "HEADWATER_CONTRACTS": str(root / "contracts")}
        self.shell = WarmShell(root, folders)

    def run(self, command: str) -> Done:
        """Run one command of a console."""
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        if words[0] == "headwater":
            return self.shell.headwater(words[1:], LIMIT_S)
        if words[0] == "python" and len(words) > 2:
            return self.other([sys.executable, *words[1:]])
        if words[0] == "python":
            return self.shell.python((self.root / words[1]).read_text(), LIMIT_S)
        return self.other(["bash", "-c", command])

    def other(self, command: list[str], stdin: str = "") -> Done:
        """Run what is not Headwater."""
        done = subprocess.run(
            command, cwd=self.root, input=stdin, capture_output=True, text=True, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, broker: KafkaBroker) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("clone"), broker)
    yield clone
    clone.shell.close()


def run_console(clone: Clone, block: Block) -> None:
    found = commands(block)
    for command in found:
        done = clone.run(command.text)
        told = f"{block.place}: {command.text}\n{done.out}\n{done.err}"
        assert done.code == (block.code if command is found[-1] else 0), told
        assert not [line for line in command.shown if not shows(line, done.out)], told


@pytest.mark.parametrize("page", [page for page in PAGES if RUN[page]])
def test_a_page_does_what_it_says(clone: Clone, page: str) -> None:
    for block in RUN[page]:
        if block.title:
            (clone.root / block.title).parent.mkdir(parents=True, exist_ok=True)
            (clone.root / block.title).write_text(block.text)
        elif block.language == "console":
            run_console(clone, block)
        elif block.language == "python":
            done = clone.shell.python(block.text, LIMIT_S)
            assert done.code == 0, f"{block.place}\n{done.err}"
        elif block.language == "diff":
            done = clone.other(["git", "apply", "-"], block.text)
            assert done.code == 0, f"{block.place}\n{done.err}"
        elif block.language == "yaml":
            YAML(typ="safe").load(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text if block.text.startswith("{") else f"{{{block.text}}}")
        else:
            assert block.language == "text", f"{block.place}: nothing runs it; say why"


def test_every_page_is_in_the_site() -> None:
    pages = {str(path.relative_to(PROJECT)) for path in (PROJECT / "docs").rglob("*.md")}
    assert {page for page in pages if not re.match(r"docs/adr/\d", page)} <= set(PAGES)
