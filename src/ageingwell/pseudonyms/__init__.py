"""Keyed pseudonyms, made and matched back only at the agency that holds the identities."""

from ageingwell.pseudonyms.counts import Pseudonymised, TableCounts, record_of
from ageingwell.pseudonyms.digests import keyed_letters, pseudonym, row_key, row_key_by
from ageingwell.pseudonyms.extracts import pseudonymise, raw_names
from ageingwell.pseudonyms.fingerprints import fingerprints, stop_on_two_keys
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_nhs_number
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.telling import pseudonymised_text

__all__ = [
    "Key",
    "Pseudonymised",
    "TableCounts",
    "canonical_nhs_number",
    "canonical_uprn",
    "fingerprints",
    "is_nhs_number",
    "keyed_letters",
    "pseudonym",
    "pseudonymise",
    "pseudonymised_text",
    "raw_names",
    "record_of",
    "row_key",
    "row_key_by",
    "stop_on_two_keys",
]
