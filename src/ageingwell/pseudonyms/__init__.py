"""Keyed pseudonyms, made and matched back only at the agency that holds the identities."""

from ageingwell.pseudonyms.counts import Pseudonymised, TableCounts
from ageingwell.pseudonyms.digests import keyed_letters, pseudonym, row_key
from ageingwell.pseudonyms.extracts import pseudonymise
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_nhs_number
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.registers import ListKey, Reidentified, reidentify

__all__ = [
    "Key",
    "ListKey",
    "Pseudonymised",
    "Reidentified",
    "TableCounts",
    "canonical_nhs_number",
    "canonical_uprn",
    "is_nhs_number",
    "keyed_letters",
    "pseudonym",
    "pseudonymise",
    "reidentify",
    "row_key",
]
