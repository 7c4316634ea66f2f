"""`headwater contract`: check contracts, show what they compile into, compare, and bring tables to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from headwater.cli.evolution import apply, plan
from pipeline.contract.diff import Change, diff_products
from pipeline.contract.load import CONTRACT_FILE, ContractError, derived_of, load_product
from pipeline.contract.mistakes import Mistake
from pipeline.contract.model import Product
from pipeline.contract.warn import warnings
from pipeline.errors import ExitCode, TerminalError
from pipeline.settings import load_settings


class ProductNotFoundError(TerminalError):
    """There is no contract of that name."""


JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def contract() -> None:
    """Check contracts, show what they compile into, compare versions, bring tables to them.

    Contracts are the folders of HEADWATER_CONTRACTS (the project's contracts/ by default).
    """


contract.add_command(plan)
contract.add_command(apply)


@contract.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@JSON_OPTION
def check(products: tuple[str, ...], as_json: bool) -> int:
    """Check contracts, all of them by default; every mistake is listed with file and line.

    A PRODUCT is a name, or the path of a contract's folder. Exits 1 when there are mistakes; warnings
    are of what works, and not as one might think: schemas whose records are decoded one by one, logical types
    that change nothing.

    \b
    Examples:
      headwater contract check
      headwater contract check viewing_events --json
      headwater contract check ../drafts/orders
    """
    folders = [_folder(name) for name in products] or _all_folders()
    results = [(folder, *_load(folder)) for folder in folders]
    mistakes = [mistake for _, _, found in results for mistake in found]
    warned = {folder: warnings(product) if product else () for folder, product, _ in results}
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": not mistakes,
                    "products": [
                        {
                            "product": folder.name,
                            "version": product.version if product else None,
                            "mistakes": [_mistake(one) for one in found],
                            "warnings": [_mistake(one) for one in warned[folder]],
                        }
                        for folder, product, found in results
                    ],
                },
                indent=2,
            )
        )
    else:
        for folder, product, found in results:
            if product:
                click.echo(f"ok    {folder.name} {product.version}")
            for one in found:
                click.echo(f"wrong {_relative(one)}")
            for one in warned[folder]:
                click.echo(f"warn  {_relative(one)}")
        click.echo(f"{len(results)} checked, {len(mistakes)} mistakes")
    return ExitCode.CHECK_FAILED if mistakes else ExitCode.OK


@contract.command()
@click.argument("product")
@click.option("--explain", is_flag=True, help="Print everything that it compiles into.")
@JSON_OPTION
def show(product: str, explain: bool, as_json: bool) -> int:
    """Show a contract's product; with --explain, all that it compiles into.

    \b
    Examples:
      headwater contract show viewing_events
      headwater contract show viewing_events --explain
      headwater contract show departures --explain --json
    """
    loaded = load_product(_folder(product))
    if explain:
        # Seconds of imports, which a plain `show` should not cost.
        from pipeline.contract.compile import compile_product

        document: dict[str, Any] = compile_product(loaded)
    else:
        document = loaded.model_dump(mode="json", exclude={"folder"})
    if as_json:
        click.echo(json.dumps(document, indent=2, default=str))
    elif explain:
        _explain(document)
    else:
        _summary(loaded)
    return ExitCode.OK


@contract.command()
@click.argument("old", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, file_okay=False, path_type=Path))
@JSON_OPTION
def diff(old: Path, new: Path, as_json: bool) -> int:
    """Compare two folders of one contract. Exits 1 when a change breaks readers or writers.

    \b
    Examples:
      headwater contract diff /tmp/before/viewing_events contracts/viewing_events
    """
    changes = diff_products(load_product(old), load_product(new))
    breaking = any(change.breaking for change in changes)
    if as_json:
        listed = [{"path": one.path, "what": one.what, "breaking": one.breaking} for one in changes]
        click.echo(json.dumps({"breaking": breaking, "changes": listed}, indent=2))
    else:
        for change in changes:
            click.echo(_change(change))
        click.echo(f"{len(changes)} changes, {sum(one.breaking for one in changes)} breaking")
    return ExitCode.CHECK_FAILED if breaking else ExitCode.OK


def _load(folder: Path) -> tuple[Product | None, tuple[Mistake, ...]]:
    """Return the product of the contract in `folder`: that which it is derived from, if it is."""
    try:
        of = derived_of(folder)
        return load_product(folder if of is None else folder.parent / of), ()
    except ContractError as error:
        return None, error.mistakes


def _folder(name: str) -> Path:
    contracts = load_settings().contracts
    for folder in (contracts / name, Path(name).absolute()):
        if (folder / CONTRACT_FILE).is_file():
            return folder
    known = ", ".join(folder.name for folder in _all_folders())
    raise ProductNotFoundError(
        f"no {CONTRACT_FILE} in {contracts / name}.",
        subject=f"contract {name}",
        remedy=f"Known products: {known or 'none'}.",
    )


def _all_folders() -> list[Path]:
    contracts = load_settings().contracts
    folders = sorted(file.parent for file in contracts.glob(f"*/{CONTRACT_FILE}"))
    if not folders:
        raise ProductNotFoundError(
            f"no folder with a {CONTRACT_FILE} in it.",
            subject=str(contracts),
            remedy="Write a contract, or point HEADWATER_CONTRACTS elsewhere.",
        )
    return folders


def _mistake(one: Mistake) -> dict[str, Any]:
    return {"file": str(one.file), "line": one.line, "path": one.path, "expected": one.expected}


def _relative(one: Mistake) -> str:
    here = Path.cwd()
    if one.file.is_relative_to(here):
        return str(Mistake(one.file.relative_to(here), one.line, one.path, one.expected))
    return str(one)


def _change(change: Change) -> str:
    return f"{'BREAKING' if change.breaking else 'ok      '} {change.path}: {change.what}"


UNLISTED = {
    "keep": "keep: rows, with the record's value beside them",
    "wait": "wait: they stay in Kafka until the contract lists their version",
    "deadLetter": "deadLetter: they are dead letters",
}
"""What becomes of records of a payload version that the registry knows and the contract does not."""


def _summary(product: Product) -> None:
    topic, gates = product.topic, product.gates
    late = "refused" if gates.late_s is None else f"accepted up to {gates.late_s:g} s"
    rows = [
        ("product", f"{product.name} {product.version}"),
        ("purpose", product.description),
        ("owner", f"{product.owner} ({product.domain})"),
        ("cells", ", ".join(product.cells)),
        ("topic", f"{topic.name}, {topic.partitions} partitions, {topic.record_time}"),
        ("envelope", "yes" if topic.envelope else "none"),
        ("key", product.key),
        ("event time", product.event_time),
        ("payload", f"{len(product.payload_schemas)} version(s), {len(product.columns)} fields"),
        ("unlisted", UNLISTED[product.unlisted]),
        ("gates", f"payload {gates.payload_bytes} B, fresh within {gates.freshness_s:g} s"),
        ("late", late),
        ("rules", ", ".join(f"{one.column} {one.check}" for one in product.rules) or "none"),
        ("reference", ", ".join(one.source for one in product.references) or "none"),
        ("aggregates", ", ".join(one.name for one in product.aggregates) or "none"),
        ("objectives", ", ".join(one.property for one in product.slos) or "none"),
    ]
    for name, text in rows:
        click.echo(f"{name:11} {text}")


def _explain(document: dict[str, Any]) -> None:
    topic = document["topic"]
    click.echo(f"{document['product']} compiles into")
    click.echo(f"\nKafka topic {topic['name']}")
    click.echo(f"  partitions {topic['partitions']}, replication {topic['replication']}")
    for key, value in topic["config"].items():
        click.echo(f"  {key}={value}")
    click.echo("\nRegistry subjects")
    for subject, versions in document["subjects"].items():
        click.echo(f"  {subject}: {versions} version(s)")
    click.echo(f"\nIceberg table {document['product']}.events")
    for column in document["iceberg"]:
        required = " required" if column["required"] else ""
        click.echo(f"  {column['name']:18} {column['type']}{required}")
    click.echo("\nBusiness rules (pandera)")
    for column, checks in document["pandera"].items():
        click.echo(f"  {column}: {', '.join(checks)}")
    for name, expectations in document["expectations"].items():
        click.echo(f"\nAudit of {document['product']}.{name} (Great Expectations)")
        for one in expectations:
            arguments = ", ".join(f"{key}={value}" for key, value in one["kwargs"].items())
            click.echo(f"  {one['type']}({arguments})")
    click.echo("\nOpenSLO documents")
    for slo in document["openslo"]:
        click.echo(f"  {slo['kind']} {slo['metadata']['name']}")
