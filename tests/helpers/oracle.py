"""Who may not be listed, worked out again in plain Python from the raw tables, without the library's steps."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from helpers.counties import Row, newest_versions, rows_of

Reasons = Mapping[str, str]

HOSPITAL_LAG, CARE_LAG, GP_LAG = 21, 60, 14
CARE_HOME_SERVICES = ("long_term_support_nursing_care", "long_term_support_residential_care")
CARE_HOME_STATUSES = ("registered_care_home", "registered_nursing_home")


class Oracle:
    """One county on one night: who is out and why, by the shipped ledger and cooling-off days given."""

    def __init__(
        self, county: Path, night: date, *, cooling_off: Mapping[str, int], end_of_life: tuple[str, ...]
    ) -> None:
        self.county, self.night = county, night
        self.cooling_off, self.end_of_life = cooling_off, set(end_of_life)
        self.newest = newest_versions(county)
        self.known = {person: sure(row) for person, row in self._known_versions().items()}
        # Where somebody may live whose address was matched with low certainty: for help it is not their home.
        self.unsure = {
            person: row["household_id"]
            for person, row in self.newest.items()
            if row["household_match"] == "low" and row["household_id"]
        }

    def _known_versions(self) -> dict[str, Row]:
        """The newest row of each person that was recorded before the night, with endings not yet known emptied."""
        known: dict[str, Row] = {}
        for row in sorted(rows_of(self.county, "gp_patients"), key=lambda row: row["recorded_on"]):
            if row["recorded_on"] < self.night:
                endings = {
                    name: None
                    for name in ("left", "died")
                    if not self._is_known(row[f"{name}_on"], row[f"{name}_recorded_on"], GP_LAG, row)
                }
                known[row["person_id"]] = row | {f"{name}_on": None for name in endings}
        return known

    def _is_known(self, ended: date | None, recorded: date | None, lag: int, row: Row) -> bool:
        """An ending is known from its own day of recording, else with a row recorded after it, else after the lag."""
        if ended is None:
            return False
        with_row = row["recorded_on"] if ended <= row["recorded_on"] else None
        return (recorded or with_row or ended + timedelta(days=lag)) < self.night

    def _events(self, rows: list[Row], key: tuple[str, ...], lag: int) -> list[Row]:
        """One row an event: the newest version's, with the end that was sent last; of one day's, the later end."""
        versions = defaultdict(list)
        for row in rows:
            if row["recorded_on"] < self.night:
                versions[tuple(row[name] for name in key)].append(row)
        found = []
        for told in versions.values():
            ends = [
                (row["recorded_on"], row["ended_on"])
                for row in told
                if self._is_known(row["ended_on"], row.get("ended_recorded_on"), lag, row)
            ]
            newest = max(told, key=lambda row: row["recorded_on"])
            found.append(newest | {"ended_on": max(ends)[1] if ends else None})
        return found

    def opted_out(self) -> set[str]:
        """Everyone with an objection, a restriction or a type 1 opt-out, and everyone who lives in a home with one."""
        rows = [row for row in self._in_force() if row["kind"] in ("objection", "restriction", "type_1")]
        homes = {row["household_id"] for row in rows} - {None}
        people = {row["person_id"] for row in rows} - {None}
        return people | {person for person, home in self.last_homes().items() if home in homes}

    def last_homes(self) -> dict[str, str]:
        """Where each person was last registered, recorded however late."""
        rows = sorted(rows_of(self.county, "gp_patients"), key=lambda row: row["recorded_on"])
        return {row["person_id"]: row["household_id"] for row in rows if row["household_id"]}

    def homes_not_empty(self) -> set[str]:
        """Homes that are not homes nobody is linked to: of anybody alive and registered, opted out or not, any age."""
        here = {person for person, row in self.newest.items() if not row["died_on"] and not row["left_on"]}
        return {home for person, home in self.last_homes().items() if person in here}

    def homes_in_peace(self) -> set[str]:
        """Homes with a contact that still binds, or that somebody left or died in too short a while ago."""
        resting = {
            row["household_id"]
            for row in rows_of(self.county, "contacts")
            if row["household_id"]
            and row["recorded_on"] < self.night
            and self._binds(row["outcome"], row["contacted_on"])
        }
        refused = {
            row["household_id"]
            for row in rows_of(self.county, "fire_visits")
            if row["visit_outcome"] in ("refused", "no_access")
            and row["recorded_on"] < self.night
            and self._binds(row["visit_outcome"], row["visited_on"])
        }
        homes = self.last_homes()
        gone = {
            homes[person]
            for person, row in self.newest.items()
            if person in homes
            and (
                (row["died_on"] and self._binds("deceased", row["died_on"]))
                or (row["left_on"] and not row["died_on"] and self._binds("moved", row["left_on"]))
            )
        }
        return resting | refused | gone

    def _binds(self, outcome: str, day: date) -> bool:
        return day + timedelta(days=self.cooling_off[outcome]) > self.night

    def under_safeguarding_and_opted_out(self) -> set[str]:
        """Whom the safeguarding lead alone hears of, by the marker and no more."""
        marks = {row["person_id"] for row in self._in_force() if row["kind"] == "safeguarding"} - {None}
        return marks & self.opted_out()

    def _in_force(self) -> list[Row]:
        return [
            row for row in rows_of(self.county, "permissions") if row["to_on"] is None or row["to_on"] >= self.night
        ]

    def deceased(self) -> set[str]:
        met = {row["person_id"] for row in self._contacts(known=False) if row["outcome"] == "deceased"}
        told = {row["person_id"] for row in rows_of(self.county, "care_events") if row["died_on"]} - self.opted_out()
        return met | told | {person for person, row in self.newest.items() if row["died_on"]}

    def moved(self) -> set[str]:
        """Those who left, or are registered at another home than was known, or were reported as moved since."""
        left = {person for person, row in self.newest.items() if row["left_on"]}
        elsewhere = {
            person
            for person, row in self.known.items()
            if row["household_id"] != sure(self.newest[person])["household_id"]
        }
        reported = {
            row["person_id"]
            for row in self._contacts(known=False)
            if row["outcome"] == "moved"
            and self._binds("moved", row["contacted_on"])
            and self._lived_here(row["person_id"], row["contacted_on"])
        }
        return left | elsewhere | reported

    def safeguarded(self) -> set[str]:
        """Those marked, and all who share a home with one of them, or a home that is marked."""
        marks = [row for row in self._in_force() if row["kind"] == "safeguarding"]
        people = {row["person_id"] for row in marks} - {None}
        living = {person: row for person, row in self.newest.items() if not row["died_on"] and not row["left_on"]}
        homes = {row["household_id"] for row in marks} | {
            row["household_id"] for person, row in living.items() if person in people
        }
        homes -= {None}
        perhaps = {person for person, home in self.unsure.items() if home in homes}
        return people | perhaps | {person for person, row in self.known.items() if row["household_id"] in homes}

    def in_care_home(self) -> set[str]:
        kinds: dict[tuple[str, str], tuple[date, str]] = {}
        for row in rows_of(self.county, "homes"):
            told = row["property_type"] not in (None, "unknown") and row["recorded_on"] < self.night
            one = row["household_id"], row["source"]
            is_newer = row["recorded_on"] >= kinds.get(one, (date.min, ""))[0]
            if told and row["household_match"] != "low" and is_newer:
                kinds[one] = (row["recorded_on"], row["property_type"])
        # One source that says so is enough, whichever is newer.
        homes = {home for (home, _), (_, kind) in kinds.items() if kind == "care_home"}
        placed, status = set(), dict[str, tuple[date, bool]]()
        key = ("person_id", "client_type", "event_type", "started_on", "service_type", "service_component")
        for row in self._events(list(map(folded, rows_of(self.county, "care_events"))), key, CARE_LAG):
            if row["client_type"] != "service_user":
                continue
            is_placement = row["event_type"] == "service" and row["service_type"] in CARE_HOME_SERVICES
            if is_placement and row["ended_on"] is None:
                placed.add(row["person_id"])
            if row["accommodation_status"] not in ("", "unknown"):
                here = (row["started_on"], row["accommodation_status"] in CARE_HOME_STATUSES)
                status[row["person_id"]] = max(here, status.get(row["person_id"], (date.min, False)))
        placed |= {person for person, (_, is_home) in status.items() if is_home}
        return placed | {person for person, row in self.known.items() if row["household_id"] in homes}

    def near_the_end(self) -> set[str]:
        return {
            row["person_id"]
            for row in rows_of(self.county, "gp_events")
            if row["code_system"] == "snomed"
            and row["code"] in self.end_of_life
            and row["recorded_on"] < self.night
            and 0 < (self.night - (row["happened_on"] or row["recorded_on"])).days <= 730
        }

    def in_hospital(self) -> set[str]:
        inside = set()
        stays = self._events(rows_of(self.county, "hospital_events"), ("person_id", "kind", "started_on"), HOSPITAL_LAG)
        for row in stays:
            is_open = row["kind"] != "ae_attendance" and row["ended_on"] is None
            if is_open and 0 < (self.night - row["started_on"]).days <= 120:
                inside.add(row["person_id"])
        return inside

    def cooling(self) -> set[str]:
        """Those a contact still binds: who was met or called on, and who lived there with them on the day."""
        bound, doors = set(), defaultdict(list)
        for row in self._contacts(known=True):
            until = row["contacted_on"] + timedelta(days=self.cooling_off[row["outcome"]])
            if until <= self.night:
                continue
            person = row["person_id"]
            if person is not None and person in self.known:
                bound.add(person)
                if row["outcome"] != "moved" and self._lived_here(person, row["contacted_on"]):
                    doors[self.known[person]["household_id"]].append(row["contacted_on"])
            if row["household_id"] is not None:
                doors[row["household_id"]].append(row["contacted_on"])
        for person, row in self.known.items():
            if row["household_id"] is not None and any(
                self._lived_here(person, day) for day in doors[row["household_id"]]
            ):
                bound.add(person)
        return bound

    def _contacts(self, *, known: bool) -> list[Row]:
        """Contacts with everyone who has not opted out: the record of one who has is used for nothing."""
        out = self.opted_out()
        rows = [row for row in rows_of(self.county, "contacts") if row["person_id"] not in out]
        return [row for row in rows if not known or row["recorded_on"] < self.night]

    def _lived_here(self, person: str, day: date) -> bool:
        """Whether somebody lived at their home on a day: since moving in, else since the register told of the move."""
        row = self.known.get(person)
        if row is None:
            return False
        versions = [
            one
            for one in sorted(rows_of_person(self.county, person), key=lambda one: one["recorded_on"])
            if one["recorded_on"] < self.night
        ]
        versions = list(map(sure, versions))
        moves, home = [], versions[0]["household_id"]
        for one in versions[1:]:
            if one["household_id"] is not None and home is not None and one["household_id"] != home:
                moves.append(one["recorded_on"])
            home = one["household_id"] or home
        since = row["moved_in_on"] or (max(moves) if moves else None) or row["registered_on"]
        return since <= day


def sure(row: Row) -> Row:
    """A row of the register without a home that was matched with low certainty."""
    return row | {"household_id": None} if row["household_match"] == "low" else row


def folded(row: Row) -> Row:
    """A row of the Client Level Data with its labels as the contract writes them."""
    labels = ("client_type", "event_type", "service_type", "service_component", "accommodation_status")
    return row | {name: re.sub("[^a-z0-9]+", "_", (row[name] or "").lower()).strip("_") for name in labels}


def rows_of_person(county: Path, person: str) -> list[Row]:
    """All rows of one person on the GP register."""
    return _by_person(county)[person]


_seen: dict[Path, dict[str, list[Row]]] = {}


def _by_person(county: Path) -> dict[str, list[Row]]:
    if county not in _seen:
        _seen[county] = defaultdict(list)
        for row in rows_of(county, "gp_patients"):
            _seen[county][row["person_id"]].append(row)
    return _seen[county]
