from __future__ import annotations

import pytest
from pydantic import BaseModel

from pipeline.contract.parse import derived_contract as derived
from pipeline.contract.settings import derived_table as table_settings
from pipeline.contract.settings import product as own_settings
from pipeline.contract.settings.generate import GeneratedFieldSection
from pipeline.contract.vocabulary import CHECKS
from tests.unit.contract.conftest import ROOT

DOCS = (ROOT / "docs" / "reference" / "contract.md").read_text()


@pytest.mark.parametrize(
    ("section", "prefix"),
    [
        (own_settings.ProductSettings, ""),
        (own_settings.TopicSection, "topic."),
        (own_settings.RetentionSection, "topic.retention."),
        (own_settings.GatesSection, "gates."),
        (own_settings.SchemasSection, "schemas."),
        (own_settings.ReferenceSection, "references[]."),
        (GeneratedFieldSection, "generate.fields.<field>."),
        (table_settings.DerivedTableSettings, ""),
        (table_settings.ReadSection, "reads[]."),
        (table_settings.FeatureSection, "feature."),
        (table_settings.DriftSection, "feature.drift[]."),
        (table_settings.LateSection, "late."),
        (derived.DerivedContractSettings, ""),
        (own_settings.SloSection, ""),
    ],
)
def test_every_setting_is_documented(section: type[BaseModel], prefix: str) -> None:
    sections = {"topic", "gates", "schemas", "feature", "late"}
    for field in section.model_fields.values():
        if field.alias not in sections:
            assert f"| `{prefix}{field.alias}` |" in DOCS


def test_every_check_is_documented() -> None:
    assert all(f"`{name}`" in DOCS for name in CHECKS)
