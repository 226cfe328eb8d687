"""Which columns of an agency's own register say who somebody is: found by their headings, never by their values.

`reidentify` puts these columns beside a list; `record` leaves out whatever stands under such a heading, wherever it
comes from. So both ask here.
"""

import re
from typing import Final, Literal

Kind = Literal["nhs_number", "uprn", "name", "address", "contact"]

# Written before the heading of every column that an agency's register lends to a list.
OWN_REGISTER: Final = "Own register: "
_OWN_REGISTER: Final = "own_register"

_NHS: Final = re.compile(r"(?:patient_)?nhs_?(?:no|num|number|id)?")
_WORDS: Final[dict[Kind, frozenset[str]]] = {
    "contact": frozenset({"telephone", "telephones", "tel", "phone", "phones", "mobile", "landline", "email", "mail"}),
    "address": frozenset({"address", "addr", "street", "road", "house", "flat", "building", "town", "village", "city",
                          "locality", "postcode", "postcodes"}),
    "name": frozenset({"name", "names", "forename", "forenames", "surname", "surnames", "firstname", "lastname",
                       "fullname", "tenant", "tenants", "occupier", "resident", "patient", "initials"}),
}  # fmt: skip
# A name, address or telephone of somebody or something else.
_OTHERS: Final = frozenset({"practice", "gp", "surgery", "doctor", "ward", "scheme", "staff", "officer", "user", "file",
                            "place", "kin", "landlord", "type", "id", "status", "count", "since"})  # fmt: skip


def kind_of(heading: str) -> Kind | None:
    """What a column of a register holds, by its heading; `None` where it is not a part of who somebody is.

    >>> [kind_of(heading) for heading in ("NHS Number", "UPRN", "Full name", "Address line 1", "Tel.", "Practice name")]
    ['nhs_number', 'uprn', 'name', 'address', 'contact', None]
    """
    written = _folded(heading)
    if _NHS.fullmatch(written):
        return "nhs_number"
    if written == "uprn":
        return "uprn"
    words = {re.sub(r"[0-9]+$", "", word) for word in written.replace("post_code", "postcode").split("_")}
    if words & _OTHERS:
        return None
    return next((kind for kind, known in _WORDS.items() if words & known), None)


def is_identity(heading: str) -> bool:
    """Whether a column of a list that came back says who somebody is, so that nothing of it may be kept.

    >>> [is_identity(heading) for heading in ("Own register: Key safe", "Surname", "NHS no", "My notes")]
    [True, True, True, False]
    """
    return _folded(heading).startswith(_OWN_REGISTER) or kind_of(heading) is not None


def _folded(heading: str) -> str:
    return re.sub(r"[\W_]+", "_", heading.casefold()).strip("_")
