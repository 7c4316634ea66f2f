"""Systems of each kind, and how much is done to them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contract.load import load_product
from tests.support.commands import Command
from tests.support.products import own_product
from tests.support.registry_server import served
from tests.systems.canaries import Canaries
from tests.systems.cluster import running_cluster
from tests.systems.settings import KINDS, SAMPLE, VARIABLE, new_password, write_settings
from tests.systems.systems import PRODUCT, TABLE, Systems
from tests.systems.under_dagster import UnderDagster

DERIVED = Path(__file__).parent.parent / "data" / "derived"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--systems-kills",
        type=int,
        help="How many ingests and builds are killed over each kind of systems, all of them under Dagster.",
    )


def _asked(config: pytest.Config) -> int | None:
    # Known only when this folder is named on the command line.
    found: int | None = config.getoption("--systems-kills", default=None)
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test have its kinds: the short form does all to the first, and the beginning to the others."""
    if "systems" in metafunc.fixturenames:
        kinds: tuple[str, ...] = KINDS
        if _asked(metafunc.config) is None:
            kinds = SAMPLE[:1] if "whole" in metafunc.fixturenames else SAMPLE
        metafunc.parametrize("systems", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def systems(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Systems]:
    """Systems of the kind that a test is parametrized with, of the test file's own."""
    kind, asked = request.param, _asked(request.config)
    root = tmp_path_factory.mktemp("systems")
    canaries = Canaries(root / "secrets")
    own_product(PRODUCT, root / "contracts")
    shutil.copytree(DERIVED / TABLE, root / "contracts" / TABLE)
    product = load_product(root / "contracts" / PRODUCT)
    login, password = f"headwater:{(word := new_password())}", new_password()
    canaries.keep("kafka", password)
    canaries.keep("registry", word)
    with (
        running_cluster(root / "kafka") as cluster,
        served(root / "registry.db", login) as registry,
        pytest.MonkeyPatch.context() as patch,
    ):
        cluster.let_in(password, product.topic.name)
        patch.setenv(VARIABLE, login)
        home = root / "home"
        write_settings(home, kind, canaries, cluster, registry, request)
        command = Command(home, root / "contracts")
        watching = canaries.watch()
        try:
            parts = (command, product, canaries)
            if asked is None and kind != KINDS[0]:
                yield Systems(*parts)
            else:
                stack = UnderDagster(*parts, kills=asked or 1)
                try:
                    stack.up()
                    yield stack
                finally:
                    command.run("down")
        finally:
            canaries.rest(watching)


@pytest.fixture
def whole(systems: Systems) -> UnderDagster:
    """Systems to which all is done."""
    assert isinstance(systems, UnderDagster)
    return systems
