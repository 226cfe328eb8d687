"""Settings of how long anything is kept (`[retention]` of the settings of a run).

Personal data are kept no longer than they are needed (UK GDPR article 5(1)(e)); what is needed is said beside each key.
The group's own schedule takes the place of these numbers: the information-governance lead sets them.
"""

from pydantic import Field, model_validator

from ageingwell.config.files import Settings


class RetentionSettings(Settings):
    """How many days anything is kept. `ageingwell purge` deletes what is older."""

    nights_days: int = Field(
        default=35,
        ge=1,
        le=3_660,
        description="a night with its list, pages and workbooks, counted from the day of its list: as long as a list "
        "may be used; the current night always stays",
    )
    superseded_days: int = Field(
        default=0,
        ge=0,
        le=3_660,
        description="a revision that a later one of the same night took the place of: it still shows people who were "
        "taken off; 0: gone at the next purge",
    )
    followed_days: int = Field(
        default=470,
        ge=0,
        le=3_660,
        description="who was on a list and who could have been, as pseudonyms alone, to count later how lists did: a "
        "year, and 90 days for late records; 0: not kept beyond the night",
    )
    returned_days: int = Field(
        default=35, ge=1, le=3_660, description="files with rows to correct and for the chair, in the folder of nights"
    )
    decisions_days: int = Field(
        default=1_096,
        ge=1,
        le=36_600,
        description="decisions about people that no night names any more, counted from the last word on them: "
        "three years, as far back as a page looks",
    )
    cache_days: int = Field(
        default=90, ge=1, le=3_660, description="tables in the cache that no run has used; a run makes them again"
    )
    audit_days: int = Field(
        default=2_192,
        ge=1,
        le=36_600,
        description="the audit log and the certificates, kept longest: six years, in which a claim can be made "
        "(Limitation Act 1980); purge never deletes them, a person does",
    )

    @model_validator(mode="after")
    def _what_tells_of_the_rest_stays_longest(self) -> "RetentionSettings":
        longest = max(days for name, days in self.model_dump().items() if name != "audit_days")
        if self.audit_days < longest:
            raise ValueError(f"audit_days: write {longest} or more: the record of all else is kept longest")
        return self
