"""Whether a few own words hold something that tells who somebody is: a number, a postcode, an e-mail address."""

import re
import unicodedata
from typing import Final

# Of an NHS number, a telephone number or a UPRN nobody types fewer digits in a row, whatever stands between them.
_DIGITS: Final = re.compile(r"(?:\d[\s.,\-–—()/_]{0,3}){6}")
_POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE)
_MAIL: Final = re.compile(r"@|\b\w+\s*[\[(]\s*at\s*[\])]\s*\w+", re.IGNORECASE)
# A UPRN may be short; then its name gives it away.
_NAMED: Final = re.compile(r"\b(?:uprn|nhs\s*(?:no|number|num|nr)|postcode|phone|tel|mobile)\b\W*\w*\d", re.IGNORECASE)


def could_name_somebody(text: str) -> bool:
    """Whether a text holds what could name somebody, in any script's digits and letters of any width.

    It cannot find a name.

    >>> [could_name_somebody(text) for text in ("Walks with 2 sticks", "tel. 5 12", "999 000 0018", "SY1  1AA")]
    [False, True, True, True]
    """
    plain = "".join(
        str(unicodedata.digit(letter, letter)) for letter in unicodedata.normalize("NFKC", text) if letter.isprintable()
    )
    return any(pattern.search(plain) is not None for pattern in (_DIGITS, _POSTCODE, _MAIL, _NAMED))
