"""Properties of tables that are JSON and tell the version of their own format."""

from __future__ import annotations

import json
from typing import Any

from pipeline.errors import TerminalError


class PropertyNewerError(TerminalError):
    """A newer Headwater has written a table's property."""


def parse_property(name: str, text: str, known: int) -> dict[str, Any]:
    """Return the document of property `name`; `known` is the newest format that its reader knows.

    Raises:
        PropertyNewerError: it is of a newer one.
    """
    document: dict[str, Any] = json.loads(text)
    if document["format"] > known:
        raise PropertyNewerError(
            f"it has format {document['format']}, newer than {known}, which is the newest known here.",
            subject=f"table property {name}",
            remedy="Use the Headwater that wrote it, or a later one; nothing was changed.",
        )
    return document
