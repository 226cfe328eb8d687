"""How a heading is spelt: folded as labels are."""

import re


def folded_heading(heading: str) -> str:
    """Fold a heading: small letters, every run of other than letters and digits becomes `_`, ends trimmed.

    >>> [folded_heading(heading) for heading in ("Died_On", " died on", "DIED-ON", "died.on")]
    ['died_on', 'died_on', 'died_on', 'died_on']
    """
    return re.sub(r"[\W_]+", "_", heading.lower()).strip("_")
