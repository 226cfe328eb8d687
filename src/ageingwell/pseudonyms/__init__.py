"""Keyed pseudonyms, made and matched back only at the agency that holds the identities."""

from ageingwell.pseudonyms.digests import keyed_letters, pseudonym, row_key
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_nhs_number
from ageingwell.pseudonyms.keys import Key

__all__ = [
    "Key",
    "canonical_nhs_number",
    "canonical_uprn",
    "is_nhs_number",
    "keyed_letters",
    "pseudonym",
    "row_key",
]
