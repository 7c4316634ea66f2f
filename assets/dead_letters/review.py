"""The review of a product's dead letters, and the check that holds the open ones to the contract."""

import dagster as dg
from pydantic import Field

from assets.keys import OPEN_CHECK, Keys
from resources.cell import CellResource


class ReviewConfig(dg.Config):
    """What a review is about."""

    days: int = Field(
        default=7,
        ge=1,
        description="Dead letters of so many days are looked at, and files of these days read.",
    )


def dead_letter_review(keys: Keys) -> dg.AssetsDefinition:
    """Return the asset whose materialization reports the dead letters of the last days.

    Its report has counts by reason and fate, examples without any value, and a picture of them by the hour.
    """
    spec = dg.AssetSpec(
        keys.dead_letter_review,
        deps=[keys.dead_letters],
        group_name=keys.group,
        description="Why there are dead letters, what became of them, and some to look at; no value of any.",
        kinds={"python"},
        owners=keys.owners,
        tags=keys.asset_tags,
    )

    @dg.multi_asset(name=keys.name("review"), specs=[spec])
    def review(
        context: dg.AssetExecutionContext, cell: CellResource, config: ReviewConfig
    ) -> dg.MaterializeResult[None]:
        from assets.steps.dead_letter_review import review_dead_letters

        return review_dead_letters(context, cell.load(), keys, config.days)

    return review


def open_dead_letters(keys: Keys) -> dg.AssetChecksDefinition:
    """Return the check on dead letters that warns of more open ones in a day than the contract allows."""

    @dg.asset_check(
        name=OPEN_CHECK,
        asset=keys.dead_letters,
        description=(
            "Open dead letters of the last day, of the offsets committed in it, are no larger a share than "
            "the contract's completeness SLO leaves. Without such an SLO there is no bound."
        ),
        blocking=False,
    )
    def check(cell: CellResource) -> dg.AssetCheckResult:
        from assets.steps.dead_letter_review import check_open_share

        return check_open_share(cell.load(), keys)

    return check
