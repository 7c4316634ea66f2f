"""`headwater dead-letters show`: everything about one dead letter."""

from __future__ import annotations

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve, user_name
from headwater.cli.progress import progress
from pipeline.errors import ExitCode


def place(text: str) -> tuple[int, int]:
    """Return partition and offset of a text `PARTITION/OFFSET`.

    Raises:
        click.BadParameter: it is none; the message shows one.
    """
    partition, _, offset = text.partition("/")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise click.BadParameter(f"{text!r} is not PARTITION/OFFSET; 3/1200 is.")
    return int(partition), int(offset)


@click.command()
@product_argument
@click.argument("where_it_stood", metavar="PARTITION/OFFSET", type=place)
@cell_option
@click.option(
    "--reveal",
    metavar="REASON",
    help="Show what is personal, too, and why; kept for ever, with who looked.",
)
@click.option("--by", default=user_name, help="Who looks.  [default: the user's name]")
@json_option
def show(
    product: str,
    where_it_stood: tuple[int, int],
    cell: str,
    reveal: str | None,
    by: str,
    as_json: bool,
) -> ExitCode:
    """Show all there is to know of PRODUCT's dead letter at PARTITION/OFFSET.

    Its coordinates, times and headers, why it is none of the rows and what helps, what became of it and the
    evidence for that, its fields as far as they can be read, and its bytes around the one at which reading
    stopped. Where the contract has personal data, that and all raw bytes are masked; with --reveal they are
    not, once the audit has noted who looks and why. Exit codes: 0 shown, 3 there is none, or somebody must
    act, 4 try again.

    \b
    Examples:
      headwater dead-letters show viewing_events 3/1200 --cell us
      headwater dead-letters show viewing_events 3/1200 --cell us --json
      headwater dead-letters show viewing_events 3/1200 --cell us --reveal "the producer asks, INC-12"
    """
    from headwater.cli.render.dead_letters.letter import print_letter
    from pipeline.dead_letters.look.audit import note_reveal
    from pipeline.dead_letters.look.letter import read_letter
    from pipeline.dead_letters.look.masking import Mask
    from pipeline.dead_letters.look.opening import open_letter
    from pipeline.dead_letters.read import load_letter_tables

    if reveal is not None and not reveal.strip():
        raise click.UsageError("--reveal needs a reason.")
    loaded, where = resolve(product, cell)
    with progress("reading the dead letter", quiet=as_json):
        tables = load_letter_tables(where, loaded)
        letter = read_letter(where, loaded, tables, *where_it_stood)
        opened = open_letter(where, loaded, tables, letter)
    if reveal is not None:
        note_reveal(where, loaded, tables, letter, reason=reveal, by=by)
    print_letter(letter, opened, None if reveal else Mask(loaded), as_json=as_json)
    return ExitCode.OK
