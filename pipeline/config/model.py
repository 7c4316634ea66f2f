"""Settings and their types: what headwater.toml, cell.json and variables may say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.config.layer import Layer
from pipeline.config.names import MIN_INGEST_MEMORY_MB
from pipeline.config.openlineage import openlineage_settings
from pipeline.config.reference import SecretReference
from pipeline.config.secret_text import marked

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("it is not an absolute path")
    return path


Text = Annotated[str, StringConstraints(min_length=1)]


def _address(value: Any) -> Any:
    if isinstance(value, SecretReference):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("it is not text")
    return marked("", value)


Address = Annotated[Any, AfterValidator(_address)]
CellName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """A table. What it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IngestSection(Section):
    """`[ingest]`."""

    memory_mb: Annotated[int, Field(ge=MIN_INGEST_MEMORY_MB)] = 1024


class DagsterSection(Section):
    """`[dagster]`; what is None is SQLite in the home."""

    storage_uri: Address = None


class DataDocsSection(Section):
    """`[data_docs]`."""

    url: Text | None = None


class LoggingSection(Section):
    """`[logging]`."""

    level: Annotated[
        Level | None,
        BeforeValidator(lambda level: level.upper() if isinstance(level, str) else level),
    ] = None
    format: Literal["text", "json"] = "text"


S3Name = Literal[
    "endpoint", "region", "access_key_id", "secret_access_key", "session_token", "path_style"
]


def _s3(settings: dict[str, Any]) -> dict[str, Any]:
    for name, value in settings.items():
        if name == "path_style":
            if str(value).lower() not in ("true", "false"):
                raise ValueError("its path_style is neither true nor false")
        elif not isinstance(value, SecretReference) and (not isinstance(value, str) or not value):
            raise ValueError(f"its {name} is not text")
    endpoint = settings.get("endpoint", "http://")
    if isinstance(endpoint, str) and not endpoint.startswith(("http://", "https://")):
        raise ValueError("its endpoint does not begin with http:// or https://")
    return settings


def _catalog(settings: dict[str, Any]) -> dict[str, Any]:
    for name, value in settings.items():
        if not isinstance(value, SecretReference | str | int):
            raise ValueError(f"its {name} is neither text, a number, true nor false")
    return settings


class CellSection(Section):
    """`[cells.<name>]`; what is None has a default that lies in the cell's folder, or none."""

    bootstrap_servers: str | None = None
    catalog_uri: Address = None
    warehouse: Text | None = None
    state: Annotated[Path, AfterValidator(_absolute)] | None = None
    state_uri: Address = None
    kafka: dict[str, Any] = {}
    schema_registry: dict[str, Any] = {}
    spark: dict[str, Any] = {}
    s3: Annotated[dict[S3Name, Any], AfterValidator(_s3)] = {}
    catalog: Annotated[dict[str, Any], AfterValidator(_catalog)] = {}
    openlineage: Annotated[dict[str, Any], AfterValidator(openlineage_settings)] = {}


class LayerSource(PydanticBaseSettingsSource):
    """A layer, as the library merges them."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(Configuration)
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """See `PydanticBaseSettingsSource.get_field_value`."""
        del field
        return self._layer.tree.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the layer's settings."""
        return dict(self._layer.tree)


class Configuration(BaseSettings):
    """All settings, of layers: `Configuration(layers=...)`, the highest first."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    contracts: Path | None = None
    cache: Path | None = None
    ingest: IngestSection = IngestSection()
    dagster: DagsterSection = DagsterSection()
    data_docs: DataDocsSection = DataDocsSection()
    logging: LoggingSection = LoggingSection()
    cells: dict[CellName, CellSection] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the layers that it was called with, and nothing of the library's own."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        layers: Sequence[Layer] = init_settings.init_kwargs.pop("layers")  # type: ignore[attr-defined]
        return tuple(LayerSource(layer) for layer in layers)


def merged(layers: Sequence[Layer]) -> Configuration:
    """Return the settings of valid layers, the highest first: each as the highest that says it has it.

    Raises:
        pydantic.ValidationError: a layer is not valid.
    """
    given: dict[str, Any] = {"layers": layers}
    return Configuration(**given)
