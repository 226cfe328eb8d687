"""The facts that a page may show as linked with a lower chance, and who signed that list."""

from datetime import date

from pydantic import Field

from ageingwell.config.files import Settings


class MayLower(Settings):
    """Which facts a professional finds plausible as linked with a lower chance; every other fact never is shown so.

    What is not named here still counts, under “all other facts”.

    >>> MayLower(at_least={"n_household_65plus": 2}).is_signed
    False
    """

    signed_by: str = Field(default="", description="who signed this list here; empty: nobody has yet")
    role: str = Field(default="", description="their role, such as GP and clinical safety officer")
    signed_on: date | None = Field(default=None, description="the day they signed it")
    not_on_record: tuple[str, ...] = Field(
        default=(), description="features that may lower where the source was sent and nothing of the kind is on record"
    )
    at_least: dict[str, float] = Field(
        default_factory=dict, description="features that may lower from this value on, such as people in the home"
    )
    at_most: dict[str, float] = Field(
        default_factory=dict, description="features that may lower up to this value, such as the chance of living alone"
    )

    @property
    def is_signed(self) -> bool:
        """Whether somebody with a role signed the list on a day."""
        return bool(self.signed_by.strip() and self.role.strip() and self.signed_on)

    @property
    def features(self) -> frozenset[str]:
        """Every feature that the list names."""
        return frozenset({*self.not_on_record, *self.at_least, *self.at_most})

    def sign_off_words(self) -> str:
        """Who signed the list, in a sentence.

        >>> MayLower().sign_off_words()
        'Nobody here has signed this list yet: it is the one that comes with the software.'
        >>> MayLower(signed_by="Dr A Example", role="GP", signed_on=date(2026, 11, 2)).sign_off_words()
        'Signed by Dr A Example, GP, on 2 November 2026.'
        """
        if not self.is_signed or self.signed_on is None:
            return "Nobody here has signed this list yet: it is the one that comes with the software."
        return f"Signed by {self.signed_by}, {self.role}, on {self.signed_on.day} {self.signed_on:%B %Y}."
