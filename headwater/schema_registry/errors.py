"""Errors as Confluent Schema Registry tells them: HTTP status, code, message."""

from __future__ import annotations

from pipeline.avro.compatibility import IncompatibleSchemaError
from pipeline.errors import HeadwaterError
from pipeline.schemas.registry import InvalidSchemaError


class ApiError(Exception):
    """A call is answered with an error; its status is what its code begins with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(str(self.code)[:3])


def as_api_error(error: HeadwaterError) -> ApiError:
    """Return what a named error of the registry is over HTTP."""
    if isinstance(error, InvalidSchemaError):
        return invalid_schema(str(error))
    if isinstance(error, IncompatibleSchemaError):
        return ApiError(
            409, f"Schema being registered is incompatible with an earlier schema: {error}"
        )
    return ApiError(50001, f"Error in the backend data store: {error}")


def no_subject(subject: str) -> ApiError:
    """No version of the subject is there."""
    return ApiError(40401, f"Subject '{subject}' not found.")


def no_version(version: object) -> ApiError:
    """The subject is there, and this version is not."""
    return ApiError(40402, f"Version {version} not found.")


def no_schema(what: str = "Schema") -> ApiError:
    """No such id, or no version of the subject holds the schema."""
    return ApiError(40403, f"{what} not found")


def invalid_schema(why: str) -> ApiError:
    """The schema is none that this registry takes."""
    return ApiError(42201, f"Invalid schema: {why}")
