"""Write the made-up directory of Church Stretton and Totnes into configs/services/directory/, the same every time.

python -m tools.directory           writes the pages
python -m tools.directory --check   writes nothing; ends with 1 where a page differs

Nothing in it is real: names are put together from lists, each says "made-up" in its description, and telephone numbers
are from a range that Ofcom keeps for drama (0113 496 0000 to 0999), not the one that the made-up people's are from.
"""

import json
import random
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_AGAIN = ((), ("again",), ("once more",))
FOLDER = Path(__file__).resolve().parents[2] / "configs" / "services" / "directory"
SEED = 20261122
A_PAGE = 50
TAXONOMY = "Made-up local terms"
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")

Record = dict[str, Any]

# term: name of the term, what a service of it is called, days it is open, minutes, price in pounds and what it buys,
# whether it comes to people, how many of it in each town.
KINDS: dict[str, tuple[str, str, str, int, float, str, bool, int]] = {
    "strength-and-balance": ("Strength and balance", "Steady Steps class", "TU,TH", 60, 3.5, "a session", False, 3),
    "falls-prevention": ("Falls prevention", "Falls prevention visit", "MO,WE", 90, 0, "", True, 1),
    "walking-group": ("Walking group", "Gentle walk", "WE", 60, 0, "", False, 2),
    "foot-care": ("Foot care", "Toenail cutting clinic", "FR", 180, 18, "a visit", False, 1),
    "telecare": ("Telecare", "Pendant alarm scheme", "MO,TU,WE,TH,FR", 480, 5.2, "a week", True, 1),
    "stop-smoking": ("Stop smoking", "Stop smoking help", "MO,TH", 120, 0, "", False, 1),
    "home-safety": ("Home safety", "Home safety advice", "MO,TU,WE,TH,FR", 420, 0, "", True, 1),
    "handyperson": ("Handyperson", "Handyperson scheme", "MO,TU,WE,TH,FR", 420, 15, "an hour", True, 2),
    "small-aids": ("Small aids", "Grab rails and small aids", "TU,FR", 240, 0, "", True, 1),
    "decluttering": ("Decluttering", "Help to clear a room", "WE", 240, 12, "an hour", True, 1),
    "warm-home": ("Warm home", "Warm home check", "MO,TU,WE,TH,FR", 420, 0, "", True, 1),
    "energy-advice": ("Energy advice", "Energy bills drop-in", "TH", 180, 0, "", False, 2),
    "carer-support": ("Carer support", "Carers' group", "TU", 120, 0, "", False, 2),
    "carer-break": ("Carer break", "Sitting service", "MO,TU,WE,TH,FR", 300, 8, "an hour", True, 1),
    "medicines-advice": ("Medicines advice", "Pharmacist drop-in", "WE", 120, 0, "", False, 1),
    "bereavement-support": ("Bereavement support", "Bereavement friends", "TH", 90, 0, "", False, 2),
    "befriending": ("Befriending", "Befriending calls and visits", "MO,TU,WE,TH,FR", 360, 0, "", True, 2),
    "social-group": ("Social group", "Craft and chat morning", "MO", 120, 2, "a morning", False, 4),
    "lunch-club": ("Lunch club", "Lunch club", "WE", 150, 6.5, "a meal", False, 4),
    "community-transport": (
        "Community transport",
        "Door-to-door lifts",
        "MO,TU,WE,TH,FR",
        480,
        0.45,
        "a mile",
        True,
        2,
    ),
    "benefits-advice": ("Benefits advice", "Benefits advice session", "TH", 180, 0, "", False, 2),
    "hearing-help": ("Hearing help", "Hearing aid clinic", "TU", 120, 0, "", False, 1),
    "memory-cafe": ("Memory cafe", "Memory cafe", "FR", 120, 1.5, "a visit", False, 1),
    "computer-help": ("Computer help", "Computer help for beginners", "MO", 90, 0, "", False, 1),
}
# What a town lacks: the made-up gaps that the commissioning page is to find.
GAPS = {
    "Church Stretton": {"decluttering", "medicines-advice"},
    "Totnes": {"carer-break", "stop-smoking"},
    "Abbey": set(),
}
# town: district, latitude, longitude, made-up halls.
TOWNS: dict[str, tuple[str, float, float, tuple[str, ...]]] = {
    "Church Stretton": (
        "Shropshire", 52.539, -2.807,
        ("Larkrise Hall", "Ropewalk Rooms", "Damson Yard Centre", "Old Tannery Rooms", "Quillet Field Pavilion"),
    ),
    "Totnes": (
        "South Hams", 50.431, -3.687,
        ("Weirside Hall", "Lantern Lane Rooms", "Orchard Gate Centre", "Coopers Loft", "Millbrook Pavilion"),
    ),
    "Abbey": (
        "Shropshire", 52.703, -2.732,
        ("Foregate Rooms", "Pear Tree Hall", "Wherry Lane Centre"),
    ),
}  # fmt: skip
# In the third place only some kinds are there at all.
FEW = (
    "strength-and-balance",
    "lunch-club",
    "befriending",
    "handyperson",
    "warm-home",
    "carer-support",
    "energy-advice",
)
FIRST = ("Bluebell", "Lantern", "Hawthorn", "Kestrel", "Copper Beech", "Old Oak", "Swallow", "Marigold",
         "Brackenfold", "Silver Birch", "Foxglove", "Heron", "Willowbank", "Sundial", "Goldfinch", "Rosehip",
         "Quayside", "Hearthstone", "Plover", "Cobblestone")  # fmt: skip
LAST = ("Neighbours", "Friends", "Community Trust", "Good Company", "Helping Hands", "Care Circle", "Link", "Society")


def pages() -> dict[str, str]:
    """Every file of the directory by its name."""
    draw = random.Random(SEED)  # noqa: S311 - made-up data, not a secret
    services = list(_services(draw))
    n_pages = -(-len(services) // A_PAGE)
    written = {
        f"services-{number}.json": _json(
            {
                "total_items": len(services),
                "total_pages": n_pages,
                "page_number": number,
                "size": len(services[(number - 1) * A_PAGE : number * A_PAGE]),
                "first_page": number == 1,
                "last_page": number == n_pages,
                "empty": False,
                "contents": services[(number - 1) * A_PAGE : number * A_PAGE],
            }
        )
        for number in range(1, n_pages + 1)
    }
    mark = {"synthetic": True, "seed": SEED, "what": "a made-up directory of services: nothing in it is real"}
    return {**written, "synthetic.json": _json(mark)}


def _services(draw: random.Random) -> Iterator[Record]:
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    draw.shuffle(names)
    for town in TOWNS:
        organisations: list[Record] = []
        for term, kind in KINDS.items():
            if term in GAPS[town] or (town == "Abbey" and term not in FEW):
                continue
            for number in range(kind[-1] if town != "Abbey" else 1):
                # Most organisations run one service; every third service belongs to one that is there already.
                if len(organisations) > 5 and draw.random() < 0.08:
                    organisation = draw.choice(organisations)
                else:
                    organisation = _organisation(names.pop(), town, draw)
                    organisations.append(organisation)
                yield _service(term, number, town, organisation, draw)


def _organisation(name: str, town: str, draw: random.Random) -> Record:
    return {
        "id": _id("organization", town, name),
        "name": f"{name} of {town}" if town != "Abbey" else f"{name} of Abbey ward",
        "description": "Made-up organisation: it does not exist.",
        "website": f"https://{name.lower().replace(' ', '-')}.example",
    }


def _service(term: str, number: int, town: str, organisation: Record, draw: random.Random) -> Record:
    term_name, title, days, minutes, price, per, comes, _ = KINDS[term]
    district, latitude, longitude, halls = TOWNS[town]
    hall = draw.choice(halls)
    opens = draw.choice((9, 10, 11, 13, 14)) * 60 + draw.choice((0, 30))
    identifier = _id("service", town, term, str(number))
    schedule = {
        "id": _id("schedule", identifier),
        "freq": "WEEKLY",
        "interval": 1,
        "byday": days,
        "opens_at": _time(opens),
        "closes_at": _time(min(opens + minutes, 18 * 60)),
    }
    checked = f"2026-{draw.choice((2, 5, 8, 9, 10, 10, 11)):02d}-{draw.randint(1, 20):02d}"
    return {
        "id": identifier,
        "name": f"{title}, {hall}" if not comes else f"{title}, {town}",
        "description": f"Made-up service: it does not exist. {title} for people in and around {town}.",
        "status": "active" if draw.random() > 0.04 else "temporarily closed",
        "eligibility_description": "For people aged 60 and over" if term != "carer-support" else "For anyone who cares",
        "minimum_age": draw.choice((None, 55, 60, 60, 65, 75)) if term not in ("carer-support", "carer-break") else 18,
        "fees_description": None if price else "Free",
        "assured_date": checked,
        "last_modified": f"{checked}T10:00:00Z",
        "phones": [{"id": _id("phone", identifier), "number": f"0113 496 0{draw.randint(0, 999):03d}"}],
        "organization": organisation,
        "service_areas": [{"id": _id("area", identifier), "name": town if draw.random() < 0.7 else district}]
        if comes
        else [],
        "service_at_locations": []
        if comes
        else [
            {
                "id": _id("at", identifier),
                "location": {
                    "id": _id("location", town, hall),
                    "location_type": "physical",
                    "name": hall,
                    "latitude": round(latitude + draw.uniform(-0.008, 0.008), 3),
                    "longitude": round(longitude + draw.uniform(-0.01, 0.01), 3),
                    "addresses": [{"id": _id("address", town, hall), "city": town, "country": "GB"}],
                },
            }
        ],
        "schedules": [schedule],
        "cost_options": [
            {"id": _id("cost", identifier), "amount": price, "currency": "GBP", "amount_description": per or None}
        ],
        "capacities": [_capacity(identifier, checked, draw)] if draw.random() < 0.7 else [],
        "attributes": [
            {
                "id": _id("attribute", identifier),
                "link_entity": "service",
                "taxonomy_term": {"id": _id("term", term), "code": term, "name": term_name, "taxonomy": TAXONOMY},
            }
        ],
    }  # fmt: skip


def _capacity(identifier: str, checked: str, draw: random.Random) -> Record:
    maximum = draw.choice((8, 10, 12, 16, 20))
    available = 0 if draw.random() < 0.2 else draw.randint(1, maximum // 2)
    return {
        "id": _id("capacity", identifier),
        "unit": {"id": _id("unit", "places"), "name": "places"},
        "available": available,
        "maximum": maximum,
        "updated": f"{checked}T10:00:00Z",
    }


def _id(*parts: str) -> str:
    # No ten digits in a row: whoever searches a night's files for NHS numbers finds none.
    found = (str(uuid.uuid5(NAMESPACE, "/".join(("made-up", *parts, *again)))) for again in _AGAIN)
    return next(identifier for identifier in found if not re.search(r"\d{10}", identifier))


def _time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _json(content: Record) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    wanted = pages()
    if "--check" not in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return 0 if there == wanted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
