"""How much the crash suite plays, and on whose stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.ingest.run import ingest
from tests.crash.range_kills import RangeKill, draw_range_kills
from tests.crash.scenario import Act, draw
from tests.crash.stage import Stage
from tests.crash.tally import Tally
from tests.support.catalogs import in_asked_catalog
from tests.support.counts import COUNTS
from tests.support.failpoints import failpoints_of
from tests.support.formatted_load import ENVELOPE, FORMATS, formatted_product, writer_of
from tests.support.mortal_broker import MortalBroker

KILLS = 34
RANGE_KILLS = 2
REPLAY_KILLS = 5
SEED = 1
PARTITIONS = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crash-kills", type=int, default=KILLS, help="How many attempts are killed.")
    parser.addoption(
        "--range-kills", type=int, default=RANGE_KILLS, help="How many builds of ranges are killed."
    )
    parser.addoption(
        "--replay-kills", type=int, default=REPLAY_KILLS, help="How many replays are killed."
    )
    parser.addoption("--crash-seed", type=int, default=SEED, help="What the kills are drawn from.")


def _asked(config: pytest.Config) -> tuple[int, int]:
    # Known only when this folder is named on the command line.
    return (
        int(config.getoption("--crash-seed", default=SEED)),
        int(config.getoption("--crash-kills", default=KILLS)),
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "act" in metafunc.fixturenames:
        acts = draw(*_asked(metafunc.config), failpoints_of("ingest"))
        metafunc.parametrize("act", acts, ids=[f"seed{act.seed}-act{act.number}" for act in acts])


@pytest.fixture
def range_kills(request: pytest.FixtureRequest) -> tuple[RangeKill, ...]:
    """The kills of builds of ranges that were asked for."""
    seed, _ = _asked(request.config)
    count = request.config.getoption("--range-kills", default=RANGE_KILLS)
    return draw_range_kills(seed, int(count), failpoints_of("hour"))


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    tally = Tally()
    yield tally
    seed, kills = _asked(request.config)
    COUNTS[f"crash suite, --crash-seed {seed} --crash-kills {kills}"].update(tally.counts())


@pytest.fixture(scope="session")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalBroker]:
    """A broker of the suite's own, which it kills."""
    broker = MortalBroker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.stop()


@pytest.fixture
def form(request: pytest.FixtureRequest) -> str:
    """The format of the topic's values: each act has the next one."""
    if "act" not in request.fixturenames:
        return ENVELOPE
    act: Act = request.getfixturevalue("act")
    return [*FORMATS][(act.number - 1) % len(FORMATS)]


@pytest.fixture
def stage(
    tmp_path: Path,
    mortal: MortalBroker,
    tally: Tally,
    compiled: Callable[[str], None],
    form: str,
    request: pytest.FixtureRequest,
) -> Stage:
    """A fresh cell, and a product on a topic of its own."""
    compiled(form)
    cell = embedded_cell(tmp_path / "home", "us", mortal.bootstrap_servers)
    return _stage(tmp_path, in_asked_catalog(cell, request), mortal, tally, form)


@pytest.fixture(scope="session")
def compiled(
    tmp_path_factory: pytest.TempPathFactory, mortal: MortalBroker
) -> Callable[[str], None]:
    """Put what the engine compiles for a format on disk, once: it takes longer than attempts live."""

    @cache
    def compile_for(form: str) -> None:
        folder = tmp_path_factory.mktemp("first")
        cell = embedded_cell(folder / "home", "us", mortal.bootstrap_servers)
        stage = _stage(folder, cell, mortal, Tally(), form)
        stage.writer.fill(100, transactions=1)
        ingest(stage.cell, stage.product, once=True)

    return compile_for


def _stage(folder: Path, cell: Cell, mortal: MortalBroker, tally: Tally, form: str) -> Stage:
    save_cell(folder / "home", cell)
    product = formatted_product(form, folder / "contracts", PARTITIONS)
    assert product.topic.partitions == PARTITIONS
    return Stage(cell, product, writer_of(form, cell, product), mortal, tally)
