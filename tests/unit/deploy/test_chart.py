"""The Helm chart: what it renders is what Kubernetes takes, hardened, and runs parts that there are."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from pipeline.settings import PROJECT
from tests.support.chart import CHART, KUBERNETES, digest, documents, stated_digest, values
from tests.support.deployed import containers, explained

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
each_rendering = pytest.mark.parametrize("of", values(), ids=lambda of: of.name.split(".")[0])


@each_rendering
def test_what_is_kept_was_rendered_from_this_chart(of: Path) -> None:
    assert stated_digest(of) == digest(of), "run `make chart`"


@each_rendering
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_kubernetes_knows_every_field(of: Path) -> None:
    for one in documents(of):
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


@each_rendering
def test_containers_run_parts_that_there_are_and_may_write_to_volumes_alone(of: Path) -> None:
    found = list(containers(documents(of)))
    assert {"code-us", "webserver", "daemon"} <= {one["name"] for one in found}
    for one in found:
        explained(one["args"])
        assert one["securityContext"]["readOnlyRootFilesystem"]
        assert not one["securityContext"]["allowPrivilegeEscalation"]
        assert one["resources"]["limits"]["memory"]
        assert ("livenessProbe" in one) == (one["name"] != "daemon")


@each_rendering
def test_pods_have_no_token_and_no_root(of: Path) -> None:
    for one in documents(of):
        if one["kind"] in ("Deployment", "StatefulSet"):
            pod = one["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert not pod["automountServiceAccountToken"]
            assert one["spec"]["replicas"] == 1


@each_rendering
def test_the_settings_are_a_headwater_toml_without_a_password(of: Path) -> None:
    (config,) = (one for one in documents(of) if one["kind"] == "ConfigMap")
    found = tomllib.loads(config["data"]["headwater.toml"])
    assert found["cells"]["us"]["bootstrap_servers"]
    assert not [one for one in documents(of) if one["kind"] == "Secret"]


def test_the_schema_takes_the_defaults_and_no_misspelt_value() -> None:
    validator = jsonschema.Draft7Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    assert [*validator.iter_errors(DEFAULTS)] == []
    wrong: list[dict[str, Any]] = [{"mode": "both"}, {"modes": "local"}, {"locations": []}]
    assert all([*validator.iter_errors({**DEFAULTS, **one})] for one in wrong)


def test_the_chart_is_of_this_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["appVersion"], DEFAULTS["image"]["tag"]) == (version, version)
