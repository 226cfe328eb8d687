"""The search for canaries finds each identifier in every encoding and wherever it hides, and nothing else."""

import gzip
import json
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest
from helpers.canaries import IDENTIFIERS, Canaries, encodings

PLANTED = Canaries.made(4, seed=5)
PERSON = PLANTED.people[2]


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_every_encoding_is_found_between_other_bytes(identifier):
    value = getattr(PERSON, identifier)
    missed = [
        name
        for name, pattern in encodings(identifier, value)
        if len(pattern) >= 7 and not PLANTED.search_bytes(b"xx" + pattern + b"yy")
    ]

    assert missed == []


def test_a_text_without_canaries_has_no_hit():
    assert PLANTED.search_text("999 000 0018 at 12 High Street, SY6 6AA; 01632 960001; born 1941-03-09") == []


def test_what_is_packed_is_looked_into(tmp_path: Path):
    number = PERSON.nhs_number
    pl.DataFrame({"code": [int(number)], "label": ["x" + PERSON.surname]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"code": [1]}).write_parquet(tmp_path / "b.parquet", metadata={"who": number})
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(json.dumps({"n": number}).encode()))
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", f"<t>{PERSON.email}</t>")
    (tmp_path / f"{PERSON.postcode}.txt").write_text("nothing")

    found = {(hit.where.split(":")[0], hit.identifier) for hit in PLANTED.search(tmp_path)}

    assert {
        ("a.parquet", "nhs_number"),
        ("a.parquet", "surname"),
        ("b.parquet", "nhs_number"),
        ("c.json.gz", "nhs_number"),
        ("d.xlsx", "email"),
        (f"name of {PERSON.postcode}.txt", "postcode"),
    } <= found


def test_a_free_page_of_a_database_is_looked_at(tmp_path: Path):
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("pragma secure_delete = off")
        database.execute("create table told (who text)")
        database.execute("insert into told values (?)", (PERSON.note,))
    database.execute("delete from told")
    database.commit()
    database.close()

    assert {hit.identifier for hit in PLANTED.search(tmp_path)} >= {"note"}
