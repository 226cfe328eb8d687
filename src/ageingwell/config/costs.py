"""Settings of costs: what a visit, a whole offer and an event cost, each with its source, year and price base."""

from typing import Final, Literal

from pydantic import Field, model_validator

from ageingwell.config.effects import EVENTS
from ageingwell.config.files import Settings
from ageingwell.register import LEAD_AGENCIES, LeadAgency

# What a figure has to say of itself, or nobody could check it.
SAID: Final = ("covers", "source", "year", "price_base")


class Figure(Settings):
    """One cost in pounds, with what it covers and where it was published; without `gbp` a blank for the site to fill.

    >>> Figure(per="visit").is_blank
    True
    >>> told = {"covers": "a visit", "source": "our own accounts", "year": 2026, "price_base": "2025/26 prices"}
    >>> Figure(gbp=55, per="visit", **told).ends
    (55.0, 55.0)
    """

    gbp: float | None = Field(default=None, ge=0, le=10_000_000, description="the cost in pounds; absent: not known")
    low: float | None = Field(default=None, ge=0, le=10_000_000, description="low end of its range, in pounds")
    high: float | None = Field(default=None, ge=0, le=10_000_000, description="high end of its range, in pounds")
    per: Literal["visit", "hour", "person", "event", "bed_day"] = Field(description="what the figure is the cost of")
    covers: str = Field(default="", description="what the figure counts, in words")
    leaves_out: str = Field(default="", description="what the figure leaves out, in words")
    source: str = Field(default="", description="where it was published, or `our own accounts`")
    year: int | None = Field(default=None, ge=1990, le=2100, description="the year of publication")
    price_base: str = Field(default="", description="the year's prices it is in, in words")

    @property
    def is_blank(self) -> bool:
        """Whether nobody has filled the figure in."""
        return self.gbp is None

    @property
    def ends(self) -> tuple[float, float]:
        """The low and the high end of the range, in pounds; both the figure itself where none is given."""
        gbp = self.gbp or 0.0
        return (gbp if self.low is None else self.low, gbp if self.high is None else self.high)

    @model_validator(mode="after")
    def _can_be_checked(self) -> "Figure":
        if self.is_blank:
            if self.low is not None or self.high is not None:
                raise ValueError("`low` and `high` need `gbp` between them")
            return self
        lacking = [name for name in SAID if not getattr(self, name)]
        if lacking:
            named = " and ".join(f"`{name}`" for name in lacking)
            raise ValueError(f"a cost needs {named}, so that people can check it")
        low, high = self.ends
        if not low <= (self.gbp or 0.0) <= high:
            raise ValueError("`gbp` is not between `low` and `high`")
        return self


class CostsSettings(Settings):
    """Everything in `configs/costs.toml`: what visits, offers and events cost.

    The page for commissioners and its brief alone rest on it.
    """

    hours_a_visit: float = Field(
        default=1.5, gt=0, le=24, description="hours of a worker's time that one visit takes, with travel and notes"
    )
    visits_a_worker: int = Field(
        default=10, ge=1, le=200, description="homes per week that one more worker could visit"
    )
    weeks_a_year: int = Field(default=42, ge=1, le=52, description="weeks of the year in which a worker visits")
    effects: str | None = Field(
        default=None,
        min_length=1,
        description="file: `effects.parquet` of `ageingwell impact`, next to this file or a full path; absent: the "
        "page does not say what preventing an event costs",
    )
    visits: dict[LeadAgency, Figure] = Field(
        default_factory=dict, description="what one visit costs, or an hour of a worker, by the agency that visits"
    )
    completed: dict[str, Figure] = Field(
        default_factory=dict, description="what the whole offer for a need costs for each person, under its rule's name"
    )
    outcomes: dict[str, Figure] = Field(
        default_factory=dict, description="what an event costs that visits may prevent, under the outcome's name"
    )

    @model_validator(mode="after")
    def _each_is_of_its_kind(self) -> "CostsSettings":
        allowed = {"visits": ("visit", "hour"), "completed": ("person",), "outcomes": ("event", "bed_day")}
        for section, kinds in allowed.items():
            for name, figure in getattr(self, section).items():
                if figure.per not in kinds:
                    said = " or ".join(f"`{kind}`" for kind in kinds)
                    raise ValueError(f"`{section}.{name}.per` has to be {said}")
        unknown = sorted(set(self.outcomes) - EVENTS.keys())
        if unknown:
            raise ValueError(f"`outcomes.{unknown[0]}` is none of: {', '.join(EVENTS)}")
        return self

    def visit(self, agency: str) -> tuple[float, float, float] | None:
        """What one visit by an agency costs: the figure, the low and the high end, in pounds; None where not known.

        >>> told = {"covers": "an hour", "source": "our own accounts", "year": 2026, "price_base": "2025/26 prices"}
        >>> CostsSettings(hours_a_visit=2, visits={"gp": Figure(gbp=50, high=60, per="hour", **told)}).visit("gp")
        (100.0, 100.0, 120.0)
        """
        figure = self.visits.get(agency) if agency in LEAD_AGENCIES else None
        if figure is None or figure.gbp is None:
            return None
        times = self.hours_a_visit if figure.per == "hour" else 1.0
        return (figure.gbp * times, figure.ends[0] * times, figure.ends[1] * times)
