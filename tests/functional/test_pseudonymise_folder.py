"""A whole raw folder in, contract tables out: what is written, what is refused, and what must never come through."""

import hashlib
import json
import logging
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ageingwell.errors import AgeingWellError, KeyFileError, PublishError, RefusedRowsError, SourceError
from ageingwell.pseudonyms.digests import pseudonym, row_key
from ageingwell.pseudonyms.extracts import pseudonymise
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.registers import ListKey, Match, Register, matches, read_register

KEY = Key.made_up(1)
CONTRACTS = {
    "gp_patients": ["person_id", "household_id", "moved_in_on", "birth_month", "sex", "lsoa21", "registered_on"],
    "gp_events": ["person_id", "code_system", "code", "recorded_on"],
    "care_events": ["person_id", "la_person_id", "event_type", "linked_person_id", "event_outcome", "recorded_on"],
    "homes": ["household_id", "tenure", "recorded_on"],
    "permissions": ["person_id", "household_id", "kind", "checked_on"],
    "contacts": ["person_id", "household_id", "agency", "outcome"],
}
# The first five valid numbers of the reserved range.
ANN, BOB, CAT, DAN, EVE = "9990000018", "9990000026", "9990000034", "9990000042", "9990000050"
PATIENTS = f"""\
nhs_number,uprn,name,birth_date,sex,postcode,registered_on,notes
{ANN},000100012345,Ann Canary,1940-05-17,female,SY6 6AA,2001-04-02,met her daughter
999 000 0026,100012346,Bob Canary,1938-12-31,male,sy66ab,1938-12-31,
9990000019,100012347,Cat Canary,1941-02-03,female,SY6 6AA,2003-01-01,
,100012348,Dan Canary,1942-07-08,male,SY6 6AA,2003-01-01,
{EVE},1000x,Eve Canary,1943-09-10,female,ZZ9 9ZZ,2003-01-01,
9.99E+09,100012349,Fay Canary,1944-11-12,female,SY6 6AA,2003-01-01,
{DAN},,Gus Canary,1942-02-30,male,SY6 6AA,2003-01-01,
"""
LOOKUP = "pcds,lsoa21cd\nSY6 6AA,E01028827\nSY6 6AB,E01028828\nAB1 1AA,S01000001\n"


def folder(at: Path, **tables: str) -> Path:
    at.mkdir()
    for name, text in tables.items():
        (at / f"{name}.csv").write_text(text, encoding="utf-8")
    return at


def run(raw: Path, **settings):
    lookup = raw.parent / "lookup.csv"
    lookup.write_text(LOOKUP, encoding="utf-8")
    chosen = {"key": KEY, "contract_columns": CONTRACTS, "lsoa_lookup": lookup, "max_refused_share": 1.0, **settings}
    return pseudonymise(raw, out=raw.parent / "out", **chosen)


def named(number: str, domain: str = "person", key: Key = KEY) -> str:
    return pl.DataFrame({"x": [number]}).select(pseudonym(pl.col("x"), domain=domain, key=key)).item()


def bytes_out(at: Path) -> Iterator[bytes]:
    """Give every byte a reader could see: file names, files as they are, and Parquet columns decoded."""
    for path in sorted(at.rglob("*")):
        yield path.name.encode()
        if path.is_file():
            yield path.read_bytes()
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            yield json.dumps([frame.columns, frame.to_dict(as_series=False)], default=str).encode()


# What is written


def test_patients_become_a_contract_table_with_months_areas_and_pseudonyms(tmp_path):
    done = run(folder(tmp_path / "raw", gp_patients=PATIENTS))

    assert_frame_equal(
        pl.read_parquet(tmp_path / "out" / "gp_patients.parquet"),
        pl.DataFrame(
            {
                "person_id": [named(ANN), named(BOB), named(EVE)],
                "household_id": [named("100012345", "home"), named("100012346", "home"), None],
                "birth_month": [date(1940, 5, 1), date(1938, 12, 1), date(1943, 9, 1)],
                "sex": ["female", "male", "female"],
                "lsoa21": ["E01028827", "E01028828", None],
                # Bob was registered on the day he was born: that date would give his birth date away.
                "registered_on": ["2001-04-02", "1938-12-01", "2003-01-01"],
            }
        ),
    )
    counts = done.tables["gp_patients"]
    assert (counts.n_rows, counts.n_written, counts.n_refused) == (7, 3, 4)
    assert counts.left_empty == {"postcode": 1, "uprn": 1}
    assert counts.refused_columns == ("name", "notes")
    assert counts.n_reserved_numbers == 3


def test_refused_rows_name_file_row_column_and_rule_and_no_value(tmp_path):
    run(folder(tmp_path / "raw", gp_patients=PATIENTS))

    refused = pl.read_parquet(tmp_path / "out" / "refused" / "gp_patients.parquet")
    assert refused.rows() == [
        ("gp_patients.csv", 3, "nhs_number", ["not_an_nhs_number"]),
        ("gp_patients.csv", 4, "nhs_number", ["missing"]),
        ("gp_patients.csv", 6, "nhs_number", ["spreadsheet_number"]),
        ("gp_patients.csv", 7, "birth_date", ["not_a_date"]),
    ]
    record = json.loads((tmp_path / "out" / "pseudonymised.json").read_text())
    assert record["tables"]["gp_patients"]["refused_by_rule"] == {
        "birth_date: not_a_date": 1,
        "nhs_number: missing": 1,
        "nhs_number: not_an_nhs_number": 1,
        "nhs_number: spreadsheet_number": 1,
    }
    assert record["key_fingerprint"] == KEY.fingerprint


def test_local_ids_and_linked_people_leave_as_digests(tmp_path):
    text = (
        "nhs_number;la_person_id;event_type;linked_nhs_number;recorded_on\n"
        f"{ANN};{ANN};request;{BOB};2025-01-01\n"
        f"{BOB};77;review;;2025-01-02\n"
        f"{CAT};;review;12;2025-01-03\n"
    )

    done = run(folder(tmp_path / "raw", care_events=text))

    care = pl.read_parquet(tmp_path / "out" / "care_events.parquet")
    assert care.columns == ["person_id", "la_person_id", "event_type", "linked_person_id", "recorded_on"]
    assert care["linked_person_id"].to_list() == [named(BOB), None, None]
    assert care["la_person_id"].null_count() == 1
    assert care["la_person_id"][0] not in (ANN, named(ANN))
    assert done.tables["care_events"].left_empty == {"linked_nhs_number": 1}


def test_a_row_about_a_person_or_a_home_needs_exactly_one_of_the_two(tmp_path):
    text = (
        f"nhs_number,uprn,agency,outcome\n{ANN},,fire,completed\n,100012345,fire,completed\n,,fire,completed\n"
        f"{ANN},100012345,fire,completed\n9990000019,100012345,fire,completed\n"
    )

    run(folder(tmp_path / "raw", contacts=text))

    written = pl.read_parquet(tmp_path / "out" / "contacts.parquet")
    assert written["person_id"].to_list() == [named(ANN), None]
    assert written["household_id"].to_list() == [None, named("100012345", "home")]
    refused = pl.read_parquet(tmp_path / "out" / "refused" / "contacts.parquet")
    assert refused.select("row_number", "rules").rows() == [
        (3, ["one_of_two_needed"]),
        (4, ["one_of_two_needed"]),
        (5, ["not_an_nhs_number", "one_of_two_needed"]),
    ]


@pytest.mark.parametrize("identity", ["9990000019,", ",", "9990000018,12x"])
def test_one_refused_opt_out_stops_everything(tmp_path, identity):
    text = f"nhs_number,uprn,kind,checked_on\n{ANN},,national,2026-11-01\n{identity},national,2026-11-01\n"

    with pytest.raises(RefusedRowsError, match="permissions: 1 of 2"):
        run(folder(tmp_path / "raw", permissions=text))

    assert not (tmp_path / "out").exists()


def test_too_many_refused_rows_stop_everything_and_leave_nothing(tmp_path):
    raw = folder(tmp_path / "raw", gp_patients=PATIENTS)

    with pytest.raises(RefusedRowsError, match=r"4 of 7 rows are refused, and 50% are allowed"):
        run(raw, max_refused_share=0.5)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["lookup.csv", "raw"]


def test_parquet_in_parts_small_chunks_and_csv_give_the_same_rows(tmp_path):
    numbers = [ANN, BOB, CAT, DAN, EVE] * 5
    events = pl.DataFrame(
        {
            "nhs_number": numbers,
            "code_system": ["snomed"] * 25,
            "code": [str(n) for n in range(25)],
            "recorded_on": [date(2025, 1, 1)] * 25,
        }
    )
    (tmp_path / "a" / "raw" / "gp_events").mkdir(parents=True)
    events[:10].write_parquet(tmp_path / "a" / "raw" / "gp_events" / "1.parquet")
    events[10:].with_columns(pl.col("nhs_number").cast(pl.Int64)).write_parquet(
        tmp_path / "a" / "raw" / "gp_events" / "2.parquet"
    )
    (tmp_path / "b" / "raw").mkdir(parents=True)
    events.write_csv(tmp_path / "b" / "raw" / "gp_events.csv", include_bom=True, separator=";")

    run(tmp_path / "a" / "raw", rows_at_once=4)
    run(tmp_path / "b" / "raw")

    parts, whole = (pl.read_parquet(tmp_path / at / "out" / "gp_events.parquet") for at in "ab")
    assert_frame_equal(parts, whole)
    assert parts.height == 25
    assert not list((tmp_path / "a" / "out").glob(".*"))


def test_a_single_file_and_the_agencys_own_column_names_are_taken(tmp_path):
    raw = folder(tmp_path / "raw", homes="UPRN;Tenure\n100012345;Owner occupied\n")

    pseudonymise(
        raw / "homes.csv",
        out=tmp_path / "out",
        key=KEY,
        contract_columns=CONTRACTS,
        column_names={"homes": {"UPRN": "uprn", "Tenure": "tenure"}},
    )

    assert pl.read_parquet(tmp_path / "out" / "homes.parquet").rows() == [
        (named("100012345", "home"), "Owner occupied")
    ]


def test_an_empty_table_with_a_header_stays_an_empty_table(tmp_path):
    run(folder(tmp_path / "raw", permissions="nhs_number,kind,checked_on\n"))

    assert pl.read_parquet(tmp_path / "out" / "permissions.parquet").shape == (0, 3)


def test_the_same_input_and_key_give_the_same_bytes(tmp_path):
    for at in ("a", "b"):
        (tmp_path / at).mkdir()
        run(folder(tmp_path / at / "raw", gp_patients=PATIENTS))

    one, other = ([*bytes_out(tmp_path / at / "out")] for at in "ab")
    assert one == other


def test_files_are_private_and_nothing_is_written_over(tmp_path):
    raw = folder(tmp_path / "raw", gp_patients=PATIENTS)
    run(raw)

    for path in (tmp_path / "out").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    with pytest.raises(PublishError, match="there already"):
        run(raw)


def test_a_place_that_cannot_be_written_is_a_publish_error(tmp_path):
    raw = folder(tmp_path / "raw", homes="uprn,tenure\n1,owner\n")
    (tmp_path / "file").write_text("")

    with pytest.raises(PublishError, match="cannot be written"):
        pseudonymise(raw, out=tmp_path / "file" / "out", key=KEY, contract_columns=CONTRACTS)


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_args, **_settings):
        raise KeyboardInterrupt

    raw = folder(tmp_path / "raw", gp_patients=PATIENTS)
    monkeypatch.setattr("ageingwell.pseudonyms.extracts.record_text", interrupted)

    with pytest.raises(KeyboardInterrupt):
        run(raw)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lookup.csv", "raw"]


def test_the_mark_of_made_up_people_goes_along(tmp_path):
    raw = folder(tmp_path / "raw", gp_patients=PATIENTS)
    (raw / "synthetic.json").write_text('{"seed": 1}')

    run(raw)

    assert (tmp_path / "out" / "synthetic.json").read_text() == '{"seed": 1}'


# What never comes through


CANARIES = [
    *(ANN, BOB, DAN, EVE, "999 000 0026", "9990000019", "9.99E+09"),
    *("100012345", "100012346", "000100012345", "1000x"),
    *("Canary", "daughter", "SY6 6AA", "SY66AA", "sy66ab", "ZZ9 9ZZ"),
    *("1940-05-17", "1938-12-31", "1943-09-10", "1942-02-30", "17/05/1940"),
]


def test_no_identity_of_the_raw_folder_is_in_any_output(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    care = f"nhs_number,la_person_id,event_type,event_outcome,recorded_on\n{ANN},{ANN},request,none,2025-01-01\n"

    done = run(folder(tmp_path / "raw", gp_patients=PATIENTS, care_events=care))

    seen = b"\0".join([*bytes_out(tmp_path / "out"), repr(done).encode(), caplog.text.encode()])
    seen += "".join(capsys.readouterr()).encode()
    for canary in CANARIES:
        for form in (
            canary.encode(),
            canary[::-1].encode(),
            canary.encode("utf-16-le"),
            canary.encode().hex().encode(),
        ):
            assert form not in seen
        for digest in ("sha256", "sha1", "md5"):
            assert hashlib.new(digest, canary.encode()).hexdigest().encode() not in seen


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (ANN, "looks_like_an_identifier"),
        ("see 999 000 0018", "looks_like_an_identifier"),
        ("999-000-0018", "looks_like_an_identifier"),
        ("now at SY6 6AA", "looks_like_an_identifier"),
        ("ring 01694 722 222", "looks_like_an_identifier"),
        ("07700 900123", "looks_like_an_identifier"),
        ("+44 7700 900123", "looks_like_an_identifier"),
        ("ann@example.org", "looks_like_an_identifier"),
        ("long " * 25, "free_text"),
        ('"two\nlines"', "free_text"),
    ],
)
def test_identities_typed_into_a_column_that_is_carried_over_stay_behind_and_the_row_goes_on(tmp_path, value, rule):
    text = f"nhs_number,event_type,event_outcome\n{BOB},request,{value}\n{BOB},request,NFA - Support declined\n"

    done = run(folder(tmp_path / "raw", care_events=text))

    outcomes = pl.read_parquet(tmp_path / "out" / "care_events.parquet")["event_outcome"]
    assert outcomes.to_list() == ["other_not_listed", "NFA - Support declined"]
    stayed = pl.read_parquet(tmp_path / "out" / "emptied" / "care_events.parquet")
    assert stayed.rows() == [("care_events.csv", 1, "event_outcome", [rule])]
    assert (done.tables["care_events"].not_carried, done.tables["care_events"].n_refused) == ({"event_outcome": 1}, 0)


def test_an_identity_in_a_column_that_is_needed_refuses_the_row(tmp_path):
    text = f"nhs_number,event_type,event_outcome\n{BOB},see 999 000 0018,none\n{BOB},request,none\n"

    run(folder(tmp_path / "raw", care_events=text))

    refused = pl.read_parquet(tmp_path / "out" / "refused" / "care_events.parquet")
    assert refused.rows() == [("care_events.csv", 1, "event_type", ["looks_like_an_identifier"])]


def test_ones_own_number_in_a_code_column_refuses_the_row_and_a_long_code_does_not(tmp_path):
    text = f"nhs_number,code_system,code\n{ANN},local,{ANN}\n{ANN},snomed,9990000026\n"

    run(folder(tmp_path / "raw", gp_events=text))

    assert pl.read_parquet(tmp_path / "out" / "refused" / "gp_events.parquet")["row_number"].to_list() == [1]


def test_columns_named_like_made_ones_are_refused_not_carried(tmp_path):
    text = f"nhs_number,person_id,household_id,{ANN},code_system,code\n{ANN},{BOB},{CAT},x,snomed,1\n"

    done = run(folder(tmp_path / "raw", gp_events=text))

    assert pl.read_parquet(tmp_path / "out" / "gp_events.parquet")["person_id"].to_list() == [named(ANN)]
    assert done.tables["gp_events"].refused_columns == ("person_id", "household_id", "column 4")


BAD_FILES = {
    "no header": (f"{ANN},100012345,Ann Canary,SY6 6AA\n{BOB},2,Bob Canary,SY6 6AB\n").encode(),
    "cp1252": f"nhs_number,code_system,code\n{ANN},Ann Can\xe4ry,1\n".encode("cp1252"),
    "utf-16 without a mark": f"nhs_number,code_system,code\n{ANN},Ann Canary,1\n".encode("utf-16-le"),
    "unclosed quote": f'nhs_number,code_system,code\n{ANN},"Ann Canary,1\n{BOB},b,2\n'.encode(),
    "text after a quote": f'nhs_number,code_system,code\n{ANN},"Ann" Canary,1\n'.encode(),
    "doubled column": f"nhs_number,code,code\n{ANN},Ann Canary,1\n".encode(),
    "nameless column": f"nhs_number,,code\n{ANN},Ann Canary,1\n".encode(),
    "empty": b"",
    "blank first line": f"\nnhs_number,code\n{ANN},Ann Canary\n".encode(),
}


def chain(error: BaseException | None) -> str:
    parts = []
    while error is not None:
        parts.append(f"{error!r} {error} {vars(error)}")
        error = error.__context__ or error.__cause__
    return " ".join(parts)


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_faulty_file_stops_with_its_name_without_a_value_and_leaves_nothing(tmp_path, content):
    raw = folder(tmp_path / "raw", homes="uprn,tenure\n100012345,owner\n")
    (raw / "gp_events.csv").write_bytes(content)

    with pytest.raises(SourceError, match="gp_events") as stopped:
        run(raw)

    told = chain(stopped.value)
    assert not any(canary in told for canary in (*CANARIES, "Ann", "100012345"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lookup.csv", "raw"]


def test_a_cut_parquet_file_stops_without_a_value(tmp_path):
    raw = folder(tmp_path / "raw")
    pl.DataFrame({"nhs_number": [ANN], "code": ["1"]}).write_parquet(raw / "gp_events.parquet")
    (raw / "gp_events.parquet").write_bytes((raw / "gp_events.parquet").read_bytes()[:-30])

    with pytest.raises(SourceError, match=r"gp_events\.parquet: not a whole Parquet file") as stopped:
        run(raw)

    assert ANN not in chain(stopped.value)


def test_rows_with_a_field_too_many_or_too_few_are_refused_by_number(tmp_path):
    text = f"nhs_number,code_system,code\n{ANN},snomed,1\n{BOB},snomed,2,3\n\n{CAT},snomed\n{DAN},snomed,4\n\n"

    done = run(folder(tmp_path / "raw", gp_events=text))

    refused = pl.read_parquet(tmp_path / "out" / "refused" / "gp_events.parquet")
    assert refused.select("row_number", "rules").rows() == [
        (2, ["wrong_number_of_fields"]),
        # An empty line between rows stands for a row that was lost; those at the end say nothing.
        (3, ["wrong_number_of_fields"]),
        (4, ["wrong_number_of_fields"]),
    ]
    assert done.tables["gp_events"].n_rows == 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gp_patient", PATIENTS),
        ("staff", "name\nCanary\n"),
    ],
)
def test_a_file_that_is_no_table_stops_rather_than_vanishes(tmp_path, name, text):
    with pytest.raises(SourceError, match="no table of the contracts"):
        run(folder(tmp_path / "raw", **{name: text}))


def test_two_candidates_for_one_table_stop(tmp_path):
    raw = folder(tmp_path / "raw", homes="uprn,tenure\n1,owner\n")
    pl.DataFrame({"uprn": ["1"]}).write_parquet(raw / "homes.parquet")

    with pytest.raises(SourceError, match="more than one candidate"):
        run(raw)


def test_postcodes_need_a_look_up_without_contradictions(tmp_path):
    raw = folder(tmp_path / "raw", gp_patients=PATIENTS)
    with pytest.raises(SourceError, match="postcodes cannot be turned into areas"):
        run(raw, lsoa_lookup=None)

    (tmp_path / "two.csv").write_text("postcode,lsoa21\nSY6 6AA,E01028827\nsy66aa,E01028828\n")
    with pytest.raises(SourceError, match="1 postcodes are in two areas"):
        run(raw, lsoa_lookup=tmp_path / "two.csv")


def test_real_numbers_are_refused_with_a_made_up_key_or_a_made_up_mark(tmp_path):
    # The reserved range is the only one that may stand in a test, so the range itself is moved.
    raw = folder(tmp_path / "raw", gp_events=f"nhs_number,code\n{ANN},1\n")
    real = Key.generate(tmp_path / "agency.key")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ageingwell.pseudonyms.conversion.RESERVED_PREFIX", "998")
        with pytest.raises(KeyFileError, match="outside the range reserved for tests"):
            run(raw)
        (raw / "synthetic.json").write_text("{}")
        with pytest.raises(SourceError, match="made up"):
            run(raw, key=real)
        (raw / "synthetic.json").unlink()
        run(raw, key=real)


# The cracker


def test_without_the_key_nobody_is_found_and_with_an_unkeyed_digest_everybody_is(tmp_path):
    victims = [ANN, BOB, CAT, DAN, EVE]
    real = Key.generate(tmp_path / "agency.key")
    run(folder(tmp_path / "raw", gp_events="nhs_number,code\n" + "".join(f"{v},1\n" for v in victims)), key=real)
    stolen = set(pl.read_parquet(tmp_path / "out" / "gp_events.parquet")["person_id"])
    letters = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
    candidates = [f"{number}" for number in range(9_990_000_000, 9_990_000_100)]

    def cracked(pseudonyms: set[str]) -> set[str]:
        """Try all that an attacker has: plain digests with and without the domain, and all public keys."""
        found = set()
        for number in candidates:
            guesses = {
                hashlib.sha256(text.encode()).hexdigest()[:32].translate(letters)
                for text in (number, f"person:{number}")
            }
            guesses |= {
                Key.made_up(seed).digest(f"person:{number}".encode()).hex()[:32].translate(letters) for seed in range(5)
            }
            found |= {number} if guesses & pseudonyms else set()
        return found

    assert cracked(stolen) == set()
    unkeyed = {hashlib.sha256(f"person:{v}".encode()).hexdigest()[:32].translate(letters) for v in victims}
    assert cracked(unkeyed) == set(victims)
    assert cracked({named(v) for v in victims}) == set(victims)


# Back again, at the agency


REGISTER = f"""\
nhs_number,name,phone
999 000 0018,Ann,01694 000001
{BOB},=Bob(),
{CAT},Cat,
{CAT},Kate,
{EVE},Eve,
{EVE},Eve,
,Nobody,
9990000019,Wrong,
"""


def registered(at: Path, text: str = REGISTER, **more: object) -> Register:
    (at / "register.csv").write_text(text)
    return read_register(at / "register.csv", **more)


def test_keys_are_matched_against_the_agencys_own_register_only(tmp_path):
    people = [named(DAN), named(ANN), named(CAT), named(BOB), named(EVE), named(ANN, key=Key.made_up(9))]
    register = registered(tmp_path)

    found = matches(register, people, key=KEY)

    assert {key: match.cells["name"] for key, match in found.items()} == {
        named(ANN): "Ann",
        named(BOB): "=Bob()",
        named(EVE): "Eve",
    }
    assert (register.n_rows, register.n_blank, register.n_invalid, register.n_ambiguous) == (8, 1, 1, 2)
    assert matches(register, [], key=KEY) == {}


def test_a_home_gives_what_every_row_there_agrees_on(tmp_path):
    text = "uprn;tenant;phone;address\n007;Ann;1;1 Lane\n7;Bob;1;1 Lane\n8;Cat;3;2 Lane\n"
    register = registered(tmp_path, text, keep=["tenant", "address"])

    found = matches(register, [named("7", "home"), named("8", "home")], key=KEY)

    assert found[named("7", "home")] == Match("home", {"tenant": "", "address": "1 Lane"}, 2)
    assert found[named("8", "home")] == Match("home", {"tenant": "Cat", "address": "2 Lane"}, 1)


def test_row_keys_are_matched_with_the_list_key(tmp_path):
    night, list_key = date(2026, 11, 22), Key.made_up(8)
    keys = (
        pl.DataFrame({"person_id": [named(ANN), named(DAN)]})
        .select(row_key=row_key(pl.col("person_id"), recipient="fire", as_of=night, key=list_key))["row_key"]
        .to_list()
    )
    register = registered(tmp_path)
    fires, practices = list_key.for_recipient("fire"), list_key.for_recipient("gp")

    assert list(matches(register, keys, key=KEY, list_key=ListKey(fires, "fire", night))) == keys[:1]
    assert matches(register, keys, key=KEY, list_key=ListKey(fires, "gp", night)) == {}
    assert matches(register, keys, key=KEY, list_key=ListKey(practices, "fire", night)) == {}
    with pytest.raises(KeyFileError, match="one key serves both"):
        matches(register, keys, key=KEY, list_key=ListKey(KEY, "fire", night))


def test_a_register_without_an_identifier_or_a_column_to_show_is_refused(tmp_path):
    with pytest.raises(SourceError, match="nhs_number and uprn are missing"):
        registered(tmp_path, "name\nAnn\n")
    with pytest.raises(SourceError, match="no column is headed as a name"):
        registered(tmp_path, f"nhs_number,remarks\n{ANN},x\n")
    with pytest.raises(SourceError, match="several columns could be the nhs_number"):
        registered(tmp_path, f"nhs_number,NHS no,name\n{ANN},{ANN},x\n")
    with pytest.raises(AgeingWellError, match="no column street"):
        registered(tmp_path, keep=["street"])
    with pytest.raises(SourceError, match="is never added to a list"):
        registered(tmp_path, keep=["nhs_number"])
