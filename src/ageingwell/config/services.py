"""Settings of the local directory: where it lies, which of its terms serve which need, and how far is near."""

from pydantic import Field

from ageingwell.config.files import Settings


class NeedTerms(Settings):
    """Which terms of the directory serve one need; a term is matched by its code or its name, folded."""

    terms: tuple[str, ...] = Field(
        default=(), description="terms of services that serve the need, for readers who may read all its facts"
    )
    is_service: bool = Field(
        default=True,
        description="false where the agency that leads meets the need itself, such as a review by the practice's "
        "pharmacist: the page for commissioners then never calls it a gap in the directory",
    )
    functional_terms: tuple[str, ...] = Field(
        default=(),
        description="terms for readers who see the need in functional words: none may say more than those words",
    )


class ServicesSettings(Settings):
    """Everything in `configs/services.toml`."""

    directory: str | None = Field(
        default=None,
        min_length=1,
        description="a file or folder in HSDS 3 form, next to this file or shipped; absent: no offers",
    )
    required: bool = Field(
        default=False, description="stop the run when the directory cannot be read; otherwise go on and say so"
    )
    positions: str = Field(
        default="services/positions.csv",
        min_length=1,
        description="file: latitude and longitude of each place, one row a place",
    )
    outlines: str | None = Field(
        default=None,
        min_length=1,
        description="a GeoJSON file next to this one: the outline of each place, its name under `place`; absent: the "
        "page for commissioners has a tile for each place",
    )
    late_after_days: int = Field(
        default=120, ge=1, description="say that the directory is late when its newest check is older than this"
    )
    stale_after_days: int = Field(
        default=180, ge=1, description="say of a service that details may be out of date when checked longer ago"
    )
    reach_miles: float = Field(default=8.0, gt=0, le=200, description="services farther from the place are not offered")
    offers_a_need: int = Field(default=3, ge=1, le=10, description="services offered for each need at most")
    max_refused_share: float = Field(
        default=0.25, ge=0, le=1, description="take the directory for damaged when more of its records are refused"
    )
    needs: dict[str, NeedTerms] = Field(default_factory=dict, description="one table a need, under its rule's name")
