"""Who a product is: name, version, owner, domain, and what it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.contract.source.findings import Findings

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


def read_header(findings: Findings) -> Header:
    """Return the header. The product's name is its folder's."""
    name = findings.folder.name
    if not NAME.fullmatch(name):
        findings.add((), f"a folder named in lower case, digits and _; not {name!r}")
    version = findings.text(("version",))
    if "version" in findings.document.data and not VERSION.fullmatch(version):
        found = findings.at(("version",))
        findings.add(("version",), f"a version such as 1.2.0, not {found!r}")
    owner = _owner(findings)
    if not OWNER.fullmatch(owner):
        findings.add(("team",), "an owner: `team.name`, in letters, digits, _ and -")
    domain = findings.text(("domain",))
    if not domain:
        findings.add(("domain",), "the domain that owns the product")
    description = findings.text(("description", "purpose"))
    if not description:
        findings.add(("description",), "a `purpose`: what the product is for")
    return Header(name, version, owner, domain, description)


def _owner(findings: Findings) -> str:
    """Return the team's name; in documents before v3.1.0 the member whose role is owner."""
    if owner := findings.text(("team", "name")):
        return owner
    for loc, member in findings.mappings(("team",)):
        if member.get("role") == "owner":
            return findings.text((*loc, "username"))
    return ""
