"""Faults that are really there: each leads a cell that is well astray, in one thing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager as Context
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kafka import KafkaAdminClient

from headwater.stack.ports import free_port
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.kafka.connect import connect_producer
from pipeline.kafka.security.access import Operation
from tests.support.acls import permit
from tests.support.misconfigured_stores import STORE_FAULTS
from tests.support.misconfigured_stores import Fault as StoreFault
from tests.support.orders import Orders, hour
from tests.support.seaweedfs import SeaweedfsServer
from tests.support.secured_broker import LIMITED, Secured

_KEY = 'unknwon = "x"\n'


@dataclass(frozen=True)
class Site:
    """A cell that is well, its product and what they run on.

    Attributes:
        cell: reaches `secured` by its plain listener, where its product has a topic.
        served: the URL of its schema registry.
        seaweedfs: an S3 and a REST catalog that a cell could have.
    """

    cell: Cell
    product: Product
    secured: Secured
    served: str
    seaweedfs: SeaweedfsServer


Fault = Callable[[Site], Cell | Context[Cell]]


def kafka(site: Site, servers: str, settings: Mapping[str, object] | None = None) -> Cell:
    return replace(site.cell, bootstrap_servers=servers, kafka=settings or {})


def unknown_key(site: Site) -> Cell:
    (site.cell.root.parent.parent / "headwater.toml").write_text("[cells.us]\n" + _KEY)
    return site.cell


def unread_secret(site: Site) -> Cell:
    absent = site.cell.root / "absent"
    toml = f'[cells.us.kafka]\nsasl.password = {{ file = "{absent}" }}\n'
    (site.cell.root.parent.parent / "headwater.toml").write_text(toml)
    return site.cell


def unknown_host(site: Site) -> Cell:
    return kafka(site, "no-such-broker.invalid:9092")


def closed_port(site: Site) -> Cell:
    return kafka(site, f"127.0.0.1:{free_port()}")


def wrong_password(site: Site) -> Cell:
    return kafka(site, site.secured.login, site.secured.by_login("SCRAM-SHA-512", "guessed"))


def wrong_token_secret(site: Site) -> Cell:
    return kafka(site, site.secured.login, site.secured.by_token("guessed"))


def untrusted_broker(site: Site) -> Cell:
    login = site.secured.by_login("PLAIN")
    trusting_nobody = {name: value for name, value in login.items() if name != "ssl.ca.location"}
    return kafka(site, site.secured.login, trusting_nobody)


def plain_beside_tls(site: Site) -> Cell:
    return kafka(site, site.secured.login)


def missing_acl(site: Site) -> Cell:
    permit(site.secured, site.product.topic.name, {Operation.DESCRIBE})
    login = {
        **site.secured.by_login("PLAIN", user=LIMITED),
        "security.protocol": "SASL_PLAINTEXT",
    }
    return kafka(site, site.secured.open_login, login)


def missing_topic(site: Site) -> Cell:
    with KafkaAdminClient(bootstrap_servers=site.secured.plain) as admin:
        admin.delete_topics([site.product.topic.name])
        while site.product.topic.name in admin.list_topics():
            time.sleep(0.05)
    return site.cell


def clock_behind(site: Site) -> Cell:
    with connect_producer(site.cell) as producer:
        to_come = int(time.time() + 3_600) * 1_000
        producer.send(site.product.topic.name, b"x", timestamp_ms=to_come).get(10)
    return site.cell


def closed_registry(site: Site) -> Cell:
    return registry(site, f"http://127.0.0.1:{free_port()}")


def untrusted_registry(site: Site) -> Cell:
    return registry(site, f"https://{site.secured.login}")


def no_registry(site: Site) -> Cell:
    return registry(site, f"{site.served}/docs")


def registry(site: Site, url: str) -> Cell:
    return replace(site.cell, schema_registry={"url": url})


def absent_catalog(site: Site) -> Cell:
    Orders(site.cell).append([(hour(1), "north", 5)])
    Path(site.cell.catalog_uri.removeprefix("sqlite:///")).unlink()
    return site.cell


def anothers_catalog(site: Site) -> Cell:
    eu = replace(site.cell, name="eu", root=site.cell.root.with_name("eu"))
    Orders(eu)
    return site.cell


@contextmanager
def locked_catalog(site: Site) -> Iterator[Cell]:
    Orders(site.cell)
    path = site.cell.catalog_uri.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield site.cell


def closed_storage(site: Site) -> Cell:
    uri = f"postgresql://dagster@127.0.0.1:{free_port()}/dagster"
    toml = f'[dagster]\nstorage_uri = "{uri}"\n'
    (site.cell.root.parent.parent / "headwater.toml").write_text(toml)
    return site.cell


def file_for_warehouse(site: Site) -> Cell:
    file = site.cell.root / "a_file"
    file.touch()
    return replace(site.cell, warehouse=f"{file.as_uri()}/warehouse")


def unwritable_warehouse(site: Site) -> Cell:
    # Whoever runs this, root too.
    return replace(site.cell, warehouse="file:///proc/headwater")


def of_store(fault: StoreFault, site: Site) -> Cell:
    return fault(site.cell, site.seaweedfs)


def as_it_is(site: Site) -> Cell:
    return site.cell


FAULTS: dict[str, Fault] = {
    "a key that is no setting": unknown_key,
    "a secret's file that is not there": unread_secret,
    "unknown host of Kafka": unknown_host,
    "closed port of Kafka": closed_port,
    "wrong password for Kafka": wrong_password,
    "wrong secret for the token endpoint": wrong_token_secret,
    "authority of Kafka's certificate not trusted": untrusted_broker,
    "no TLS where Kafka wants it": plain_beside_tls,
    "missing topic": missing_topic,
    "missing ACL": missing_acl,
    "clock behind": clock_behind,
    "closed port of the registry": closed_registry,
    "authority of the registry's certificate not trusted": untrusted_registry,
    "address of the registry leads elsewhere": no_registry,
    "no catalog beside a full warehouse": absent_catalog,
    "another cell's catalog": anothers_catalog,
    "catalog locked by another process": locked_catalog,
    "closed port of Dagster's storage": closed_storage,
    "a file in place of the warehouse": file_for_warehouse,
    "a warehouse that cannot be written to": unwritable_warehouse,
    "full disk": as_it_is,
    **{name: partial(of_store, fault) for name, fault in STORE_FAULTS.items()},
}
"""By the first column of docs/reference/misconfigurations.md."""

APART: dict[str, int | None] = {"catalog locked by another process": None, "full disk": 64 * 1024}
"""Those for which the command is a process of its own -> how large its files may grow, as on a full disk."""
