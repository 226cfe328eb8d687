"""How much a delivery may differ from the last one before a person has to look at it."""

from pydantic import Field

from ageingwell.config.files import Settings


class ChangeSettings(Settings):
    """What stops a night until a person accepts it with `--accept-change`. Shares are of the last accepted night."""

    max_lost_share_of_opt_outs: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="share of the opt-outs, markers, deaths or leavings of a kind that may be missing from what was "
        "sent. The people concerned stay off the list in any case, until a person accepts the change",
    )
    max_weeks_without_new: int = Field(
        default=8,
        ge=1,
        le=520,
        description="weeks in which a kind of opt-out may bring nobody new while another does: one warning, a stop",
    )
    max_lost_share_of_rows: float = Field(
        default=0.2, ge=0, le=1, description="share of a table's rows that may be fewer than last time"
    )
    max_grown_share_of_rows: float = Field(
        default=0.5, ge=0, description="share by which a table may have more rows than last time"
    )
    max_lost_share_of_values: float = Field(
        default=0.2, ge=0, le=1, description="share of a column's filled cells that may be empty since last time"
    )
    max_moved_share_of_labels: float = Field(
        default=0.1, ge=0, le=1, description="share of a column's cells by which one label may come or go"
    )
    max_moved_spreads_of_numbers: float = Field(
        default=4.0,
        gt=0,
        description="spreads (the width of the middle half of the values, divided by 1.349) by which the median of a "
        "column of numbers or days may move",
    )
    max_share_dated_ahead: float = Field(
        default=0.01, ge=0, le=1, description="share of a table's rows that may be recorded after the night and today"
    )
