"""The settings of what somebody has to answer for: the audit log, how long a list holds, names beside a list, keys."""

from pydantic import Field

from ageingwell.config.files import Settings


class AuditSettings(Settings):
    """Where it is kept who used the records."""

    file: str | None = Field(
        default=None,
        min_length=1,
        description="file: the audit log, for all commands alike; empty: `audit.jsonl` in the folder of the nights, "
        "and for commands without one in the folder that holds theirs",
    )
    roles: tuple[str, ...] = Field(
        default=(
            "not stated",
            "meeting chair",
            "meeting organiser",
            "night account",
            "data manager",
            "IG lead",
            "Caldicott guardian",
            "clinical safety officer",
        ),
        min_length=1,
        description="the roles that the log and the ledger may name; never a person's name",
    )


class ListSettings(Settings):
    """How long a list may be used."""

    expire_after_days: int = Field(
        default=35, ge=1, le=365, description="a list is not to be used when it is older than this"
    )


class StatusSettings(Settings):
    """When `status` says that something is wrong."""

    night_within_hours: int = Field(
        default=26, ge=1, le=24 * 35, description="hours within which the last night has to have been published"
    )


class PersonSettings(Settings):
    """What the page for a person says who asks what is held of them."""

    contact: str | None = Field(
        default=None,
        min_length=3,
        max_length=200,
        description="the office to ring or write to about your own record, not a person: it is on the page",
    )


class SignoffSettings(Settings):
    """What was signed off."""

    signed: str | None = Field(
        default=None,
        min_length=1,
        description="the folder of the pack that was signed last; `status` then says when the settings, the model or "
        "the version of a night differ, and `signoff` lists what changed",
    )


class ReidentifySettings(Settings):
    """How many people an agency may look up by the lists it was sent."""

    most_people_per_run: int = Field(
        default=500, ge=1, description="rows of a list that one run may look up: more are refused"
    )
    most_times_listed_per_day: float = Field(
        default=5.0,
        ge=1,
        description="how many times as many rows as the list has may be looked up in a day, over all runs with it",
    )
    most_registers_per_day: int = Field(
        default=3, ge=1, description="in how many different registers one list may be looked up in a day"
    )
    most_people_in_register: int = Field(
        default=100_000, ge=100, description="people of a register: one with more is not an agency's own"
    )
    largest_register: int = Field(
        default=1_000_000, ge=100, description="rows of a register: a larger one is not an agency's own"
    )
    needs_second_person: bool = Field(
        default=False, description="someone else must have approved it with `ageingwell approve`"
    )
    approval_days: int = Field(default=7, ge=1, le=31, description="how many days an approval holds at most")


class KeySettings(Settings):
    """Who has the keys."""

    holders: tuple[str, ...] = Field(
        default=(), description='who holds the list key, as roles and not names: "night account", "IG lead"'
    )
