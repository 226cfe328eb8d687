"""A plan made with a person: what matters to them, steps with who and when, and whether it helped."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

MOST_STEPS: Final = 3
LONGEST_WORDS: Final = 200

STEP: Final = pl.Struct({"step": pl.String, "words": pl.String, "who": pl.String, "by_when": pl.Date})
PLAN: Final = pl.Struct(
    {
        "matters": pl.String,
        "also_matters": pl.String,
        "steps": pl.List(STEP),
        "agreed": pl.String,
        "review_on": pl.Date,
        "helped": pl.String,
        "ended_for": pl.String,
        "note": pl.String,
    }
)


@dataclass(frozen=True)
class Step:
    """One step: `step` is `need:<need>` or `service:<service_id>`, or `own` with the `words` that somebody wrote."""

    step: str
    who: str
    by_when: date | None = None
    words: str | None = None


@dataclass(frozen=True)
class Plan:
    """A plan as it was last said, whole: labels and days, and own words only where settings allow them.

    `ended_for` is why it ended; a plan without it goes on.

    >>> plan = Plan("stay_at_home", (Step("need:cold_home", "housing"),), "yes", date(2026, 12, 20))
    >>> Plan.read(plan.plain()) == plan, plan.is_over
    (True, False)
    """

    matters: str
    steps: tuple[Step, ...] = field(default=())
    agreed: str | None = None
    review_on: date | None = None
    also_matters: str | None = None
    helped: str | None = None
    ended_for: str | None = None
    note: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_for is not None

    def plain(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        told = asdict(self)
        return {
            **told,
            "review_on": _text(self.review_on),
            "steps": [{**asdict(step), "by_when": _text(step.by_when)} for step in self.steps],
        }

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> "Plan":
        """A plan from what `plain` gives."""
        steps = tuple(Step(**{**step, "by_when": _day(step["by_when"])}) for step in plain["steps"])
        return cls(**{**plain, "review_on": _day(plain["review_on"]), "steps": steps})

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> "Plan | None":
        """A plan from a value of the column `plan` (`PLAN`)."""
        return None if row is None else cls(**{**row, "steps": tuple(Step(**step) for step in row["steps"])})


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
