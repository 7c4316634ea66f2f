"""The image and the compose file: linted, hardened, with no secret in them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest

from pipeline.settings import PROJECT
from tests.support.deployed import COMPOSE, DEPLOY, OURS, explained

DOCKERFILE = DEPLOY / "Dockerfile"


@pytest.mark.skipif(sys.platform != "linux", reason="the linter is installed on Linux alone")
def test_the_linter_has_nothing_against_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_and_installs_what_the_hashes_say() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    installs = [line for line in lines if "pip sync" in line or "/pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert sent[0] == "*"
    copied = {
        word
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied <= {line.removeprefix("!") for line in sent}
    links = [one for name in copied for one in (PROJECT / name).rglob("*") if one.is_symlink()]
    targets = {one.resolve().relative_to(PROJECT).parts[0] for one in links}
    assert targets <= copied, "what is copied leads nowhere else"


def test_the_compose_file_is_one() -> None:
    found = find_spec("check_jsonschema")
    assert found is not None
    assert found.origin is not None
    vendored = Path(found.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(vendored.read_text()))


def test_everything_that_is_published_is_on_loopback() -> None:
    ports = [port for one in COMPOSE["services"].values() for port in one.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("service", OURS)
def test_services_run_parts_that_there_are_and_are_hardened(service: str) -> None:
    one = OURS[service]
    explained(one["command"])
    assert one["read_only"]
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]


def test_no_secret_stands_in_the_compose_file() -> None:
    environments = [one.get("environment", {}) for one in COMPOSE["services"].values()]
    secret = {
        name
        for env in environments
        for name in env
        if any(w in name for w in ("PASSWORD", "_KEY", "_URI"))
    }
    assert secret
    assert {name for name in secret if not name.endswith("_FILE")} == set()


def test_secrets_are_made_up_once(tmp_path: Path) -> None:
    script = DEPLOY / "compose" / "make-secrets.sh"
    subprocess.run([script, tmp_path], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert {*made} == {*COMPOSE["secrets"]}
    assert made["postgresql_password"].strip() in made["dagster_uri"]
    subprocess.run([script, tmp_path], check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
