"""Identifiers, keys and digests."""

import base64
import copy
import hmac
import os
import pickle
import random
from datetime import date
from pathlib import Path

import nhs_number
import polars as pl
import pytest

from ageingwell.errors import KeyFileError
from ageingwell.pseudonyms.digests import keyed_letters, pseudonym, row_key
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_nhs_number
from ageingwell.pseudonyms.keys import Key

KEY = Key.made_up(1)
LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")


def of(values: list[object], expression: pl.Expr, *, dtype: pl.DataType | None = None) -> list[object]:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype or pl.String())})
    return frame.select(expression.alias("y"))["y"].to_list()


# Identifiers


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        # 9*10+9*9+9*8+0+0+0+0+0+1*2 = 245; 245 mod 11 = 3; check digit 11 - 3 = 8.
        ("9990000018", "9990000018"),
        ("999 000 0018", "9990000018"),
        ("999-000-0018", "9990000018"),
        ("\t9990000018 ", "9990000018"),
        ("9990000019", None),
        ("999 000-0018", None),
        ("9990 000 018", None),
        ("99900000018", None),
        ("999000018", None),
        ("9.99E+09", None),
        ("9990000018.0", "9990000018"),
        (" 9990000018.0 ", "9990000018"),
        ("9990000019.0", None),
        ("9990000018.00", None),
        ("9990000018.", None),
        ("9990000018,0", None),
        ("999 000 0018.0", None),
        ("999000018.0", None),
        ("9.990000018e9", None),
        ("９９９００００００１８", None),
        ("٩٩٩٠٠٠٠٠١٨", None),
        ("9999999999", None),
        ("0000000000", None),
        ("+990000018", None),
        ("-990000018", None),
        ("99900\n00018", None),
        ("9990000018\n", None),
        ("bcdfghjklmnpqrstbcdfghjklmnpqrst", None),
        ("", None),
        (None, None),
    ],
)
def test_an_nhs_number_is_ten_digits_with_a_right_check_digit(sent, canonical):
    assert of([sent], canonical_nhs_number(pl.col("x"))) == [canonical]
    assert of([sent], is_nhs_number(pl.col("x"))) == [None if sent is None else canonical is not None]


def test_the_check_digit_agrees_with_the_reference_package_over_the_reserved_range():
    drawn = random.Random(5).sample(range(9_990_000_000, 10_000_000_000), 3_000)
    numbers = [str(number) for number in drawn]

    ours = of(numbers, is_nhs_number(pl.col("x")))

    expected = [nhs_number.is_valid(number) and number != "9999999999" for number in numbers]
    assert ours == expected
    assert 200 < sum(expected) < 350


def test_a_column_of_whole_numbers_is_taken_and_one_of_doubles_which_hold_every_digit():
    assert of([9990000018, None], canonical_nhs_number(pl.col("x")), dtype=pl.Int64()) == ["9990000018", None]
    assert of([9990000018.0], canonical_nhs_number(pl.col("x")), dtype=pl.Float64()) == ["9990000018"]


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("100012345678", "100012345678"),
        ("000100012345", "100012345"),
        (" 7 ", "7"),
        ("1000123456789", None),
        ("0001000123456789", None),
        ("000000000000", None),
        ("0", None),
        ("1e5", None),
        ("1.0", "1"),
        ("100070000000.0", "100070000000"),
        ("000100012345.0", "100012345"),
        ("UPRN-000100012345", "100012345"),
        ("100012345.00", None),
        ("100012345.", None),
        ("100012345.5", None),
        ("1.0007E+11", None),
        ("0.0", None),
        (".0", None),
        ("UPRN-100012345.0", None),
        ("UPRN-", None),
        ("RRN-0000-1111-2222-3333-4444", None),
        ("-1", None),
        ("１２３", None),
        ("", None),
        (None, None),
    ],
)
def test_a_uprn_is_one_to_twelve_digits_without_its_leading_noughts(sent, canonical):
    assert of([sent], canonical_uprn(pl.col("x"))) == [canonical]


# Digests


def test_a_pseudonym_is_the_first_128_bits_of_the_standard_librarys_hmac_in_letters():
    for seed in range(20):
        secret = random.Random(seed).randbytes(32 + 9 * seed)
        expected = hmac.new(secret, b"person:9990000018", "sha256").hexdigest()[:32].translate(LETTERS)

        assert of(["999 000 0018"], pseudonym(pl.col("x"), domain="person", key=Key(secret))) == [expected]


def test_published_example_of_both_domains():
    # KEY=$(printf 'ageingwell: a public key, for made-up people only: 1' | sha256sum | cut -d' ' -f1)
    # printf 'person:9990000018' | openssl dgst -sha256 -mac hmac -macopt hexkey:$KEY | sed 's/.*= //' |
    #   cut -c1-32 | tr '0123456789abcdef' 'bcdfghjklmnpqrst'
    person, home = "krprqtdthjjlcnfhqtccbjtskrkmtfbs", "nttqtsbcmbrplfltjhbsntpgnjjmddmt"

    assert of(["9990000018"], pseudonym(pl.col("x"), domain="person", key=KEY)) == [person]
    assert of(["000100012345"], pseudonym(pl.col("x"), domain="home", key=KEY)) == [home]


def test_blank_and_invalid_identifiers_get_no_pseudonym():
    blank = [None, "", "  ", "9990000019", "9999999999"]

    assert of(blank, pseudonym(pl.col("x"), domain="person", key=KEY)) == [None] * 5
    assert of([None, "", "0", "x"], pseudonym(pl.col("x"), domain="home", key=KEY)) == [None] * 4
    assert of([], pseudonym(pl.col("x"), domain="home", key=KEY)) == []


def test_another_domain_is_an_error():
    with pytest.raises(ValueError, match="person"):
        pseudonym(pl.col("x"), domain="street", key=KEY)  # type: ignore[arg-type]


def test_lazy_and_eager_work_alike_and_the_key_is_in_no_plan():
    homes = pl.DataFrame({"uprn": [str(n % 70) for n in range(1, 500)]})
    secret = random.Random(3).randbytes(32)
    expression = pseudonym(pl.col("uprn"), domain="home", key=Key(secret))
    plan = homes.lazy().select(expression)

    assert plan.collect().equals(homes.select(expression))
    for shown in (plan.explain(), repr(plan), str(expression)):
        assert not any(form in shown for form in (secret.hex(), str(secret)[2:-1]))
    with pytest.raises(pl.exceptions.ComputeError, match="never pickled"):
        plan.serialize()


def test_row_keys_of_two_recipients_or_two_nights_share_nothing():
    people = [letters * 32 for letters in "bcdfgh"]
    tonight, tomorrow = date(2026, 11, 22), date(2026, 11, 23)

    lists = [
        of(people, row_key(pl.col("x"), recipient=recipient, as_of=night, key=KEY))
        for recipient in ("fire", "housing")
        for night in (tonight, tomorrow)
    ]

    assert len({key for keys in lists for key in keys}) == 4 * 6
    message = f"fire:2026-11-22:{'b' * 32}".encode()
    assert lists[0][0] == KEY.for_recipient("fire").digest(message).hex()[:32].translate(LETTERS)


@pytest.mark.parametrize("recipient", ["fire:2026", "", "Fire", "fire service"])
def test_a_recipients_name_cannot_reach_into_the_rest_of_the_message(recipient):
    with pytest.raises(ValueError, match="snake case"):
        row_key(pl.col("x"), recipient=recipient, as_of=date(2026, 11, 22), key=KEY)


def test_digests_of_any_text_keep_nulls_and_order():
    texts = ["b", None, "a", "b"]

    letters = of(texts, keyed_letters(pl.col("x"), label="drawn", key=KEY))

    assert letters[1] is None
    assert letters[0] == letters[3] != letters[2]


# Keys


def test_a_generated_key_is_private_and_reads_back(tmp_path: Path):
    made = Key.generate(tmp_path / "agency.key")

    assert (tmp_path / "agency.key").stat().st_mode & 0o777 == 0o600
    assert Key.read(tmp_path / "agency.key") == made
    assert not made.is_made_up


def test_a_generated_key_is_private_under_any_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        Key.generate(tmp_path / "agency.key")
    finally:
        os.umask(before)

    assert (tmp_path / "agency.key").stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_never_written_over(tmp_path: Path):
    Key.generate(tmp_path / "agency.key")
    before = (tmp_path / "agency.key").read_bytes()

    with pytest.raises(KeyFileError, match="is there already"):
        Key.generate(tmp_path / "agency.key")
    assert (tmp_path / "agency.key").read_bytes() == before


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


SECRET = random.Random(11).randbytes(32)


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        SECRET.hex().encode(),
        SECRET.hex().upper().encode() + b"\r\n",
        b"\xef\xbb\xbf" + SECRET.hex().encode() + b"\n",
        base64.b64encode(SECRET) + b"\n",
        base64.urlsafe_b64encode(SECRET).rstrip(b"="),
    ],
    ids=["bytes", "hex", "HEX and CRLF", "hex after a byte order mark", "base64", "base64 for URLs"],
)
def test_a_key_is_the_same_as_bytes_hexadecimal_or_base64(content, tmp_path):
    assert Key.read(private(tmp_path / "k", content)) == Key(SECRET)


WEAK = {
    "empty": b"",
    "too short": SECRET[:31],
    "too short in hexadecimal": SECRET[:31].hex().encode(),
    "noughts": bytes(32),
    "noughts in hexadecimal": b"0" * 64,
    "all alike": b"\xa7" * 64,
    "two halves alike": SECRET[:16] * 2,
    "eight bytes repeated": SECRET[:8] * 8,
    "counting": bytes(range(32)),
    "counting down by threes": bytes((250 - 3 * n) % 256 for n in range(40)),
    "counting in hexadecimal": bytes(range(100, 164)).hex().encode(),
    "a passphrase": b"correct horse battery staple and many more words than that",
    "a passphrase without spaces": b"correcthorsebatterystaplecorrecthorsebatteryst",
    "a passphrase of both cases": b"CorrectHorseBatteryStapleCorrectHorseBatteryWx",
    "a passphrase in UTF-16": "correct horse battery staple and more".encode("utf-16"),
    "a passphrase in Latin-1": "Schöne grüße aus dem Süden, liebe Leute!".encode("latin-1"),
    "an NHS number many times": b"9990000018" * 7,
    "a date and a password": b"2026-11-22 Passw0rd! 2026-11-22 Passw0rd!",
}


@pytest.mark.parametrize("content", WEAK.values(), ids=WEAK.keys())
def test_a_weak_key_is_refused_without_being_shown(content, tmp_path):
    with pytest.raises(KeyFileError) as refused:
        Key.read(private(tmp_path / "k", content))

    assert refused.value.exit_code == 7
    assert refused.value.remedy is not None
    shown = content.decode("latin-1").strip()
    assert not shown or shown not in str(refused.value)


def test_random_keys_are_not_taken_for_weak_ones():
    draw = random.Random(17)

    for _ in range(5_000):
        Key(draw.randbytes(32))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602, 0o777])
def test_a_key_that_others_can_read_or_change_is_refused(mode, tmp_path):
    path = private(tmp_path / "k", SECRET)
    path.chmod(mode)

    with pytest.raises(KeyFileError, match=f"mode {mode:04o}"):
        Key.read(path)


def test_links_folders_pipes_devices_and_missing_files_are_refused(tmp_path):
    private(tmp_path / "k", SECRET)
    (tmp_path / "link").symlink_to(tmp_path / "k")
    os.mkfifo(tmp_path / "pipe", 0o600)

    for path in (tmp_path / "link", tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / "missing"):
        with pytest.raises(KeyFileError):
            Key.read(path)


def test_a_file_too_long_for_a_key_is_refused(tmp_path):
    with pytest.raises(KeyFileError, match="longer than"):
        Key.read(private(tmp_path / "k", random.Random(1).randbytes(5_000)))


def test_a_key_comes_through_a_file_descriptor():
    reading, writing = os.pipe()
    os.write(writing, SECRET.hex().encode())
    os.close(writing)
    try:
        assert Key.read_fd(reading) == Key(SECRET)
    finally:
        os.close(reading)
    with pytest.raises(KeyFileError, match="cannot be read"):
        Key.read_fd(reading)


def test_a_key_shows_only_its_fingerprint():
    key = Key(SECRET)

    assert repr(key) == str(key) == f"Key(fingerprint='{key.fingerprint}')"
    assert len(key.fingerprint) == 12
    assert key.fingerprint != Key.made_up(1).fingerprint
    for forbidden in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            forbidden(key)
    shown = "".join(repr(getattr(key, name)) for name in dir(key) if not name.startswith("__"))
    assert SECRET.hex() not in shown
    assert repr(SECRET) not in shown


def test_made_up_keys_are_the_same_everywhere_and_say_so():
    assert Key.made_up(4) == Key.made_up(4)
    assert Key.made_up(4) != Key.made_up(5)
    assert Key.made_up(4).is_made_up
    assert "made up" in repr(Key.made_up(4))
    assert len({Key.made_up(4), Key.made_up(4), Key.made_up(5)}) == 2
