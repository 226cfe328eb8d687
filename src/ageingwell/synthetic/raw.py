"""Agencies' own extracts of the made-up people: NHS numbers, UPRNs, names, addresses, telephone numbers, remarks.

They are what `ageingwell pseudonymise` gets at an agency, and bait for tests: nothing of it may reach any output.
NHS numbers lie in the range reserved for tests, telephone numbers in the ranges kept for drama, e-mail addresses under
example.org, and no real postcode begins with ZZ.
"""

import numpy as np
import polars as pl

from ageingwell.synthetic.part import Part, letters, sparse
from ageingwell.synthetic.patient_records import Versions
from ageingwell.synthetic.places import read_places

Array = np.ndarray
MEN = (
    "Alan", "Arthur", "Brian", "Clifford", "Colin", "David", "Derek", "Donald", "Edward", "Ernest", "Frank", "Geoffrey",
    "George", "Gordon", "Harold", "John", "Kenneth", "Leonard", "Norman", "Peter", "Raymond", "Reginald", "Ronald",
    "Stanley", "Sydney", "Terence", "Thomas", "Trevor", "Victor", "Walter",
)  # fmt: skip
WOMEN = (
    "Ann", "Audrey", "Barbara", "Beryl", "Betty", "Brenda", "Doreen", "Dorothy", "Edith", "Edna", "Eileen", "Elsie",
    "Gladys", "Hazel", "Irene", "Iris", "Jean", "Joan", "Joyce", "Kathleen", "Margaret", "Marjorie", "Mavis", "Maureen",
    "Muriel", "Olive", "Patricia", "Sheila", "Sylvia", "Winifred",
)  # fmt: skip
FORENAMES = (*MEN, *WOMEN)
SURNAMES = (
    "Ashworth", "Beddoes", "Bebb", "Bowdler", "Breakwell", "Cadwallader", "Corfield", "Crowther", "Dallow", "Edgecombe",
    "Everall", "Fildes", "Gittins", "Gough", "Hotchkiss", "Instone", "Jukes", "Kynaston", "Langslow", "Medlicott",
    "Norry", "Onions", "Pascoe", "Preece", "Quance", "Rudd", "Sankey", "Tipton", "Trethewey", "Uren", "Venables",
    "Wainwright", "Widdicombe", "Yapp", "Zelley",
)  # fmt: skip
STREETS = (
    "High Street",
    "Church Lane",
    "Mill Road",
    "Station Road",
    "The Crescent",
    "Orchard Close",
    "Back Lane",
    "Fore Street",
)
NOTES = (
    "Daughter {name} rings on {phone}",
    "Key safe by the door; neighbour {name} at number {number} has a key",
    "Prefers to be called {name}. Letters to {email}",
    "Spoke to {name} on {phone}, will call back",
)
POSTCODES_A_PLACE = 12
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
# Columns under the names agencies use.
RENAMED = {"person_id": "nhs_number", "household_id": "uprn", "linked_person_id": "linked_nhs_number"}


def postcode_lookup() -> pl.DataFrame:
    """Every made-up postcode and its area: postcode, lsoa21.

    >>> postcode_lookup().head(1).row(0)
    ('ZZ1 0AA', 'E01028997')
    """
    areas = read_places()["lsoa21"]
    number = np.arange(len(areas) * POSTCODES_A_PLACE)
    return pl.DataFrame({"postcode": _postcodes(number), "lsoa21": areas.gather(number // POSTCODES_A_PLACE)})


def extracts(
    part: Part, tables: dict[str, pl.DataFrame], versions: Versions, *, rng: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """Turn a part's tables (made with NHS numbers and UPRNs as ids) into what the agencies have."""
    names = _names(part, rng=rng)
    found = {table: frame.rename(RENAMED, strict=False) for table, frame in tables.items()}
    found["gp_patients"] = _patients(part, found["gp_patients"], versions, names, rng=rng)
    by_number = pl.DataFrame(
        {"nhs_number": part.person_ids, "forename": names["forename"], "surname": names["surname"]}
    )
    known = by_number.drop_nulls("nhs_number").unique("nhs_number", maintain_order=True)
    for table in ("care_events", "hospital_events"):
        found[table] = found[table].join(known, on="nhs_number", how="left", maintain_order="left")
    for table in ("care_events", "fire_visits", "contacts"):
        found[table] = found[table].with_columns(notes=_notes(len(found[table]), share=0.15, rng=rng))
    homes = found["homes"]
    number = pl.Series(rng.integers(1, 180, len(homes))).cast(pl.String)
    street = letters(STREETS, rng.integers(0, len(STREETS), len(homes)))
    found["homes"] = homes.with_columns(address_line_1=number + " " + street)
    return found


def _patients(
    part: Part, frame: pl.DataFrame, versions: Versions, names: dict[str, pl.Series], *, rng: np.random.Generator
) -> pl.DataFrame:
    person = versions.person
    home = part.home_on(person, versions.day)
    order = {lsoa: place for place, lsoa in enumerate(read_places()["lsoa21"].to_list())}
    area = part.places["lsoa21"].gather(part.dwellings.place[home]).replace_strict(order).to_numpy()
    street = letters(STREETS, home % len(STREETS))
    return frame.drop("birth_month", "lsoa21").with_columns(
        birth_date=part.dates(part.people.born[person]),
        forename=names["forename"].gather(person),
        surname=names["surname"].gather(person),
        address_line_1=pl.Series(1 + home % 97).cast(pl.String) + " " + street,
        address_line_2=part.places["ward"].gather(part.dwellings.place[home]),
        postcode=_postcodes(area * POSTCODES_A_PLACE + home % POSTCODES_A_PLACE),
        phone=names["phone"].gather(person),
        email=names["email"].gather(person),
        notes=_notes(len(person), share=0.08, rng=rng),
    )


def _names(part: Part, *, rng: np.random.Generator) -> dict[str, pl.Series]:
    n, people = len(part.people), part.people
    first = rng.integers(0, len(MEN), n) + len(MEN) * people.is_female
    last = rng.integers(0, len(SURNAMES), people.n_units)[people.unit]
    forename, surname = letters(FORENAMES, first), letters(SURNAMES, last)
    has_mail = rng.random(n) < 0.5
    mail = forename.str.to_lowercase() + "." + surname.str.to_lowercase() + "@example.org"
    return {"forename": forename, "surname": surname, "phone": _phones(n, rng=rng), "email": sparse(mail, has_mail)}


def _phones(n: int, *, rng: np.random.Generator) -> pl.Series:
    """Numbers that Ofcom keeps for drama: 01632 960000 to 960999 and 07700 900000 to 900999."""
    last = pl.Series(rng.integers(0, 1000, n)).cast(pl.String).str.zfill(3)
    return letters(("01632 960", "07700 900"), rng.integers(0, 2, n)) + last


def _notes(n: int, *, share: float, rng: np.random.Generator) -> pl.Series:
    """Remarks that name people, for a share of the rows."""
    frame = pl.DataFrame(
        {
            "note": letters(NOTES, rng.integers(0, len(NOTES), n)),
            "name": letters(FORENAMES, rng.integers(0, len(FORENAMES), n)),
            "phone": _phones(n, rng=rng),
            "number": pl.Series(rng.integers(1, 99, n)).cast(pl.String),
        }
    ).with_columns(email=pl.col("name").str.to_lowercase() + "@example.org")
    filled = pl.col("note")
    for name in ("name", "phone", "number", "email"):
        filled = filled.str.replace(f"{{{name}}}", pl.col(name), literal=True)
    return sparse(frame.select(filled).to_series(), rng.random(n) < share)


def _postcodes(number: Array) -> pl.Series:
    """The made-up postcodes counted so: ZZ1 0AA, ZZ1 1AA …"""
    within = number % 200
    outward = pl.Series(1 + number // 200).cast(pl.String)
    letter = letters(list(_INWARD), within // 10)
    return "ZZ" + outward + " " + pl.Series(within % 10).cast(pl.String) + letter + "A"
