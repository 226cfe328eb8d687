"""Whoever holds one recipient's list key finds its own rows on lists, and no row of any other recipient."""

import hashlib
import hmac
from datetime import date
from itertools import permutations

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.evidence import counted

from ageingwell.cli import cli
from ageingwell.pseudonyms import Key, row_key, row_key_by
from ageingwell.register import RECIPIENTS

NIGHTS = (date(2026, 11, 22), date(2026, 11, 29))
PEOPLE = pl.DataFrame(
    {"person_id": [f"{number:032d}".translate(str.maketrans("0123456789", "bcdfghjklm")) for number in range(500)]}
)
LISTS = Key(hashlib.sha256(b"the list key of a test").digest())


def keys_on_list(recipient: str, night: date) -> set[str]:
    return set(PEOPLE.select(row_key(pl.col("person_id"), recipient=recipient, as_of=night, key=LISTS)).to_series())


def opened_with(key: Key, recipient: str, night: date) -> set[str]:
    """Everything that the holder of a key can compute for a list: as its own, and as if it were the key of all."""
    told = {"recipient": recipient, "as_of": night, "key": key}
    person = pl.col("person_id")
    return set(PEOPLE.select(row_key_by(person, **told)).to_series()) | set(
        PEOPLE.select(row_key(person, **told)).to_series()
    )


def test_a_recipients_key_opens_all_of_its_own_rows_and_none_of_the_others():
    keys = {recipient: LISTS.for_recipient(recipient) for recipient in RECIPIENTS}
    lists = {(recipient, night): keys_on_list(recipient, night) for recipient in RECIPIENTS for night in NIGHTS}
    for (recipient, night), rows in lists.items():
        assert opened_with(keys[recipient], recipient, night) >= rows

    n = opened = 0
    for holder, other in permutations(RECIPIENTS, 2):
        for night in NIGHTS:
            # Under the name of either list, for a night of either.
            mine = {key for name in (holder, other) for then in NIGHTS for key in opened_with(keys[holder], name, then)}
            n += len(lists[other, night])
            opened += len(lists[other, night] & mine)
    assert opened == 0
    counted("P9.rows_of_other_recipients", n, opened, note="rows of lists opened with another recipient's key")


def test_nobody_gets_from_a_recipients_key_to_the_key_of_all_lists_or_to_another_recipients():
    derived = [LISTS.for_recipient(recipient) for recipient in RECIPIENTS]
    assert len({key.fingerprint for key in [LISTS, *derived]}) == len(RECIPIENTS) + 1
    again = [key.for_recipient(recipient) for key in derived for recipient in RECIPIENTS]
    assert not {key.fingerprint for key in again} & {key.fingerprint for key in [LISTS, *derived]}


def test_the_command_writes_the_key_that_opens_the_recipients_lists(tmp_path):
    whole = Key.generate(tmp_path / "lists.key")

    ran = CliRunner().invoke(
        cli, ["key", "derive", str(tmp_path / "lists.key"), "--recipient", "fire", "--out", str(tmp_path / "fire.key")]
    )

    assert ran.exit_code == 0, ran.output
    assert Key.read(tmp_path / "fire.key") == whole.for_recipient("fire")
    assert whole.for_recipient("fire").fingerprint in ran.output
    assert (tmp_path / "fire.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "fire.key").read_bytes() not in (tmp_path / "lists.key").read_bytes()
    again = CliRunner().invoke(
        cli, ["key", "derive", str(tmp_path / "lists.key"), "--recipient", "gp", "--out", str(tmp_path / "fire.key")]
    )
    assert again.exit_code == 7


@pytest.mark.parametrize("recipient", ["fire", "group"])
def test_the_test_vectors_of_derived_keys_stay(recipient):
    # HMAC-SHA256(key, "ageingwell: the list key of one recipient:" + recipient + 0x01), by the standard library.

    secret = hashlib.sha256(b"ageingwell: a public key, for made-up people only: 0").digest()
    told = b"ageingwell: the list key of one recipient:" + recipient.encode() + b"\x01"
    own = hmac.new(secret, told, "sha256").digest()
    assert Key.made_up(0).for_recipient(recipient).digest(b"x") == hmac.new(own, b"x", "sha256").digest()
