"""Who a product is: name, version, owner, domain, and what it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.contract.source.reader import ContractReader

NAME = re.compile(r"[a-z][a-z0-9_]*")
VERSION = re.compile(r"\d+\.\d+\.\d+")
OWNER = re.compile(r"[A-Za-z0-9_.@-]+")


@dataclass(frozen=True)
class Header:
    """The contract's own words on the product; empty where they are missing."""

    name: str
    version: str
    owner: str
    domain: str
    description: str


def read_header(reader: ContractReader) -> Header:
    """Return the header. The product's name is its folder's."""
    name = reader.folder.name
    if not NAME.fullmatch(name):
        reader.report((), f"a folder named in lower case, digits and _; not {name!r}")
    version = reader.text(("version",))
    if "version" in reader.document.data and not VERSION.fullmatch(version):
        found = reader.at(("version",))
        reader.report(("version",), f"a version such as 1.2.0, not {found!r}")
    owner = _owner(reader)
    if not OWNER.fullmatch(owner):
        reader.report(("team",), "an owner: `team.name`, in letters, digits, _ and -")
    domain = reader.text(("domain",))
    if not domain:
        reader.report(("domain",), "the domain that owns the product")
    description = reader.text(("description", "purpose"))
    if not description:
        reader.report(("description",), "a `purpose`: what the product is for")
    return Header(name, version, owner, domain, description)


def _owner(reader: ContractReader) -> str:
    """Return the team's name; in documents before v3.1.0 the member whose role is owner."""
    if owner := reader.text(("team", "name")):
        return owner
    for loc, member in reader.mappings(("team",)):
        if member.get("role") == "owner":
            return reader.text((*loc, "username"))
    return ""
