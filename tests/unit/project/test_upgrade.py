"""A project follows a newer template: what nobody changed is replaced, what somebody did is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.project.manifest import NAME, ManifestUnreadableError
from headwater.project.scaffold import make_project, plan_project
from headwater.project.upgrade import (
    Change,
    NoProjectError,
    UpgradePlan,
    current_template,
    plan_upgrade,
    upgrade_project,
)

NEWER = "9.1.0"
WORKFLOW = Path(".github/workflows/contracts.yml")
PYPROJECT = Path("pyproject.toml")
README = Path("README.md")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    make_project(plan_project(tmp_path / "shop"))
    return tmp_path / "shop"


def newer(shop: Path, *changed: Path) -> dict[Path, str]:
    """Return the template of a newer version, in which files are changed."""
    wanted = current_template(shop)
    pin = f"~={NEWER}"
    wanted[PYPROJECT] = wanted[PYPROJECT].replace(pin_of(shop), pin)
    return {**wanted, **{path: f"{wanted[path]}# of a newer version\n" for path in changed}}


def pin_of(shop: Path) -> str:
    text = (shop / PYPROJECT).read_text()
    return text[text.index("~=") :].split('"')[0]


def upgrade(shop: Path, wanted: dict[Path, str]) -> UpgradePlan:
    plan = plan_upgrade(shop, wanted, NEWER)
    upgrade_project(plan)
    again = plan_upgrade(shop, wanted, NEWER)
    assert (again.changes, again.manifest) == ((), again.was), "a second time changes nothing"
    return plan


def kinds(plan: UpgradePlan) -> dict[Path, Change]:
    return {one.written: one.kind for one in plan.changes}


def test_a_project_of_this_version_has_nothing_to_change(shop: Path) -> None:
    plan = plan_upgrade(shop, current_template(shop), plan_project(shop).manifest.version)
    assert plan.changes == ()
    assert plan.manifest == plan.was


def test_files_that_nobody_changed_are_replaced_and_the_version_is_raised(shop: Path) -> None:
    wanted = newer(shop, WORKFLOW)
    plan = upgrade(shop, wanted)
    assert kinds(plan) == {WORKFLOW: Change.REPLACE, PYPROJECT: Change.REPLACE}
    assert "+# of a newer version" in plan.changes[0].diff
    assert (shop / WORKFLOW).read_text() == wanted[WORKFLOW]
    assert pin_of(shop) == f"~={NEWER}"


def test_a_changed_file_gets_the_newer_one_beside_it(shop: Path) -> None:
    (shop / README).write_text("mine\n")
    (shop / WORKFLOW).write_text("mine, too\n")
    plan = upgrade(shop, newer(shop, README))
    assert kinds(plan)[README.with_name("README.md.new")] is Change.BESIDE
    assert (shop / README).read_text() == "mine\n"
    assert "of a newer version" in (shop / "README.md.new").read_text()
    assert (shop / WORKFLOW).read_text() == "mine, too\n"
    assert not (shop / f"{WORKFLOW}.new").exists()


@pytest.mark.parametrize("also", [(), (PYPROJECT,)])
def test_of_a_changed_pyproject_the_version_alone_is_raised(
    shop: Path, also: tuple[Path, ...]
) -> None:
    own = (shop / PYPROJECT).read_text().replace("pytest>=8.3", "pytest>=8.4")
    (shop / PYPROJECT).write_text(own)
    plan = upgrade(shop, newer(shop, *also))
    assert (shop / PYPROJECT).read_text() == own.replace(
        own[own.index("~=") :].split('"')[0], f"~={NEWER}"
    )
    assert len(plan.changes) == 1 + len(also)
    assert 'version = "0.1.0"' in own
    assert 'version = "0.1.0"' in (shop / PYPROJECT).read_text()


def test_what_was_deleted_stays_away_and_what_is_new_comes(shop: Path) -> None:
    (shop / WORKFLOW).unlink()
    wanted = {**newer(shop, WORKFLOW), Path("extra/how.md"): "new\n"}
    plan = upgrade(shop, wanted)
    assert plan.removed == (WORKFLOW,)
    assert not (shop / WORKFLOW).exists()
    assert (shop / "extra/how.md").read_text() == "new\n"


def test_contracts_are_the_projects_own(shop: Path) -> None:
    contract = shop / "contracts" / "orders" / "contract.yaml"
    contract.unlink()
    upgrade(shop, newer(shop))
    assert not contract.exists()


def test_an_upgrade_that_was_ended_goes_on(shop: Path) -> None:
    wanted = newer(shop, WORKFLOW, README)
    (shop / README).write_text("mine\n")
    plan = plan_upgrade(shop, wanted, NEWER)
    (shop / WORKFLOW).write_text(wanted[WORKFLOW])
    (shop / "README.md.new").write_text(wanted[README])
    assert upgrade(shop, wanted).manifest == plan.manifest


def test_of_a_project_without_a_manifest_only_what_differs_is_beside(shop: Path) -> None:
    (shop / NAME).unlink()
    (shop / README).write_text("mine\n")
    plan = upgrade(shop, newer(shop))
    assert plan.was.version == ""
    assert kinds(plan) == {
        Path("README.md.new"): Change.BESIDE,
        PYPROJECT: Change.REPLACE,
    }


def test_what_is_no_project_or_has_a_broken_manifest_is_named(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match="headwater init"):
        plan_upgrade(tmp_path, {}, NEWER)
    (shop / NAME).write_text("{")
    with pytest.raises(ManifestUnreadableError):
        plan_upgrade(shop, {}, NEWER)
