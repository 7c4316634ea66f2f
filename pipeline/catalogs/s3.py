"""A warehouse in S3, or in a store that speaks it: what clients are told, and what its faults mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.catalogs.errors import (
    WarehouseNotSupportedError,
    WarehouseRefusedError,
    WarehouseUnavailableError,
)
from pipeline.cells import Cell
from pipeline.errors import HeadwaterError

SCHEME = "s3://"
SET = "s3"
"""The set of jars by which Spark reads and writes there."""
CONNECT_TIMEOUT_S = 3
REQUEST_TIMEOUT_S = 20
"""How long a connection, and then an answer, is waited for; three times each."""
_LOCAL = "file://"
_NAMES = {
    "endpoint": "s3.endpoint",
    "access_key_id": "s3.access-key-id",
    "secret_access_key": "s3.secret-access-key",
    "session_token": "s3.session-token",
}
"""Alike in PyIceberg and in Iceberg's Java."""
_ANY_REGION = "us-east-1"
"""What stores of one's own take, which have no regions."""
_SAID = re.compile(r"AWS Error (\w+)(?: \(HTTP status (\d+)\))?")
_TLS = re.compile(r"curlCode: (35|51|53|54|58|59|60|64|66|77|80|82|83|90|91),")
_REFUSED = {
    "ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "NO_SUCH_BUCKET", "NO_SUCH_UPLOAD",
    "INVALID_CLIENT_TOKEN_ID", "MISSING_AUTHENTICATION_TOKEN", "UNRECOGNIZED_CLIENT", "INVALID_SIGNATURE",
    "INCOMPLETE_SIGNATURE", "OPT_IN_REQUIRED", "ACCOUNT_PROBLEM", "INVALID_BUCKET_NAME", "REQUEST_EXPIRED",
    "RESOURCE_NOT_FOUND", "VALIDATION", "METHOD_NOT_ALLOWED", "INVALID_OBJECT_STATE",
}  # fmt: skip
_LATER = (408, 425, 429)


def is_s3(warehouse: str) -> bool:
    """Return whether a warehouse's URI is one of S3."""
    return warehouse.startswith(SCHEME)


def for_pyiceberg(cell: Cell) -> dict[str, str]:
    """Return the properties by which PyIceberg's FileIO reaches the cell's warehouse; none for local files.

    Raises:
        WarehouseNotSupportedError: it is in neither, or half of a login or no region is given.
    """
    if not _check(cell):
        return {}
    found = _common(cell.s3)
    if region := _region(cell.s3):
        found["s3.region"] = region
    return {
        **found,
        "s3.force-virtual-addressing": str(not _path_style(cell.s3)).lower(),
        "s3.connect-timeout": str(CONNECT_TIMEOUT_S),
        "s3.request-timeout": str(REQUEST_TIMEOUT_S),
    }


def for_spark(cell: Cell) -> dict[str, str]:
    """Return the properties of a catalog of Spark's, without its prefix; none for local files.

    Raises: as `for_pyiceberg`.
    """
    if not _check(cell):
        return {}
    return {
        **_common(cell.s3),
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "client.region": _region(cell.s3),
        "s3.path-style-access": str(_path_style(cell.s3)).lower(),
        "http-client.apache.connection-timeout-ms": str(CONNECT_TIMEOUT_S * 1000),
        "http-client.apache.socket-timeout-ms": str(REQUEST_TIMEOUT_S * 1000),
        # Else a store that is away costs a task a minute.
        "s3.retry.num-retries": "3",
        "s3.retry.min-wait-ms": "200",
        "s3.retry.max-wait-ms": "2000",
    }


def s3_error(error: BaseException, subject: str) -> HeadwaterError | None:
    """Return the named error for what Arrow raised of S3; None for what another library did."""
    told = _SAID.search(str(error))
    if told is None:
        return None
    said = " ".join(str(error).split())
    status = int(told[2] or 0)
    is_refused = told[1] in _REFUSED or (300 <= status < 500 and status not in _LATER)
    if _TLS.search(said):
        return WarehouseRefusedError(
            f"TLS with S3 does not come about ({said}).",
            subject=subject,
            remedy="See that `s3.endpoint` in the cell's settings begins as the store wants it, https:// or "
            "http://, and that its certificate is trusted here and of this host.",
        )
    if is_refused:
        return WarehouseRefusedError(
            f"S3 refused ({said}).",
            subject=subject,
            remedy="Correct `warehouse` and `s3` in the cell's settings, or grant what is missing: to list "
            "the bucket, and to get, put and delete its objects.",
        )
    return WarehouseUnavailableError(
        f"S3 did not answer ({said}).",
        subject=subject,
        remedy="See that it runs there, at `s3.endpoint` in the cell's settings; then try again.",
    )


def no_bucket(bucket: str, subject: str) -> WarehouseRefusedError:
    """Return the error of a bucket that is not there."""
    return WarehouseRefusedError(
        f"there is no bucket {bucket}.",
        subject=subject,
        remedy="Make it, or correct `warehouse` and `s3` in the cell's settings.",
    )


def _check(cell: Cell) -> bool:
    if not is_s3(cell.warehouse):
        if not cell.warehouse.startswith(_LOCAL):
            raise _unsupported(cell, "it is neither on local files (file://) nor in S3 (s3://).")
        return False
    if ("access_key_id" in cell.s3) != ("secret_access_key" in cell.s3):
        raise _unsupported(cell, "of access_key_id and secret_access_key one is not given.")
    if not _region(cell.s3):
        raise _unsupported(cell, "neither endpoint nor region is given in `s3`.")
    return True


def _common(s3: Mapping[str, Any]) -> dict[str, str]:
    return {theirs: s3[name] for name, theirs in _NAMES.items() if name in s3}


def _region(s3: Mapping[str, Any]) -> str:
    return str(s3.get("region") or (_ANY_REGION if "endpoint" in s3 else ""))


def _path_style(s3: Mapping[str, Any]) -> bool:
    """Return whether buckets are named in paths: as stores of one's own want it, and not Amazon's."""
    return str(s3.get("path_style", "endpoint" in s3)).lower() == "true"


def _unsupported(cell: Cell, what: str) -> WarehouseNotSupportedError:
    return WarehouseNotSupportedError(
        what,
        subject=f"cell {cell.name}, {cell.warehouse}",
        remedy="Correct `warehouse` and `s3` in the cell's settings (docs/reference/cell.md).",
    )
