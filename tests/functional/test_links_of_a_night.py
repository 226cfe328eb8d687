"""A night measures how much of each table meets the register: it stops, is degraded or tells, and keeps the counts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, change, copy_of, settings_file

from ageingwell.bundle import load_bundle
from ageingwell.cli import cli
from ageingwell.config.files import shipped
from ageingwell.config.load import Config, load_config
from ageingwell.context import Surroundings
from ageingwell.contracts.made import Links, validated
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.errors import SourceError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.jobs.checking import check
from ageingwell.learning.hindsight import look_back
from ageingwell.night import outreach as nights
from ageingwell.night.linking import last_links, with_fallen_links, with_links
from ageingwell.permitted import measured_links
from ageingwell.pseudonyms import Key
from ageingwell.recognition.link_floors import stop_on_strangers
from ageingwell.sources.read import Records, read_agencies
from ageingwell.timeline import AsOf

pytestmark = pytest.mark.usefixtures("read_once")

KEYS = ("person_id", "household_id", "linked_person_id")
# Each table that can be told apart from the register: opt-outs have a floor of their own.
OTHERS = [name for name in TABLES if name not in ("gp_patients", "permissions")]
NEXT = NIGHT + timedelta(days=7)


def of_another_key(rows: pl.DataFrame, share: float = 1.0) -> pl.DataFrame:
    """Give a share of the rows the pseudonyms of another key."""
    theirs = pl.int_range(pl.len()) < share * pl.len()
    other = {key: pl.col(key).str.replace_many(list("bcdfghjk"), list("cdfghjkb")) for key in KEYS}
    there = {key: words for key, words in other.items() if key in rows.columns}
    return rows.with_columns(pl.when(theirs).then(words).otherwise(key).alias(key) for key, words in there.items())


def under_another_key(county: Path, *names: str, share: float = 1.0) -> None:
    """Make these tables with another key, and take away what tells of the key."""
    for name in names:
        change(county, name, lambda rows: of_another_key(rows, share))


def key_of(name: str) -> str:
    return "people" if "person_id" in [column.name for column in columns(name)] else "homes"


def scored(county: Path, out: Path, config: Path, *more: str, on=NIGHT) -> Result:
    given = ["score", "--data", county, "--as-of", on, "--out", out, "--config", config, *more]
    return CliRunner().invoke(cli, [str(word) for word in given])


@pytest.fixture
def first(first_night: Path) -> Path:
    """The folder of a night of the county as it is."""
    return first_night / "out" / str(NIGHT)


def read(folder: Path, config: Config, workspace: Path) -> Records:
    return read_agencies(folder, config.tables, workspace=workspace, max_refused_share=0.1)


@pytest.fixture(scope="module")
def sent(county, settings, tmp_path_factory) -> Records:
    """The records of a county in which every table has enough rows to be judged."""
    return read(county, load_config(settings), tmp_path_factory.mktemp("sent"))


@pytest.fixture(scope="module")
def small_sent(small_county, settings, tmp_path_factory) -> Records:
    return read(small_county, load_config(settings), tmp_path_factory.mktemp("small"))


def with_table(records: Records, name: str, rows: pl.DataFrame) -> Records:
    return records.with_rows(records.rows() | {name: rows.lazy()})


def rows_of(records: Records, name: str) -> pl.DataFrame:
    return records.rows()[name].collect()


def worked_out(records: Records, settings: Path, workspace: Path):
    config = load_config(settings)
    return nights.outreach_list(
        records,
        workspace=workspace,
        as_of=AsOf(NIGHT),
        config=config,
        bundle=load_bundle(config.score.bundle, codelists=config.codelists),
        previous=None,
        archive=None,
        key=Key.made_up(0),
        world=Surroundings(now=lambda: datetime(2026, 11, 22, tzinfo=UTC)),
    )


def links_of(records: Records, config: Config) -> pl.DataFrame:
    return measured_links(records, records.rows()["gp_patients"], config=config, on=NIGHT)


@pytest.mark.parametrize("name", OTHERS)
def test_each_table_under_another_key_stops_a_night(name, sent, settings, tmp_path):
    theirs = with_table(sent, name, of_another_key(rows_of(sent, name)))

    with pytest.raises(SourceError, match=rf"{name}: 0 of [\d,]+ {key_of(name)}"):
        worked_out(theirs, settings, tmp_path)


def test_the_register_alone_under_another_key_stops_and_names_every_table(county, settings, tmp_path):
    place = copy_of(county, tmp_path / "county")
    under_another_key(place, "gp_patients", "permissions")

    ran = scored(place, tmp_path / "outreach", settings)

    assert ran.exit_code == SourceError.exit_code
    assert all(f"{name}: 0 of" in ran.stderr for name in OTHERS)
    assert not (tmp_path / "outreach" / "current").exists()


def test_no_model_is_trained_on_a_table_under_another_key(small_county, settings, tmp_path):
    county = copy_of(small_county, tmp_path / "county")
    under_another_key(county, "care_events")

    with pytest.raises(SourceError, match="care_events: 0 of"):
        look_back(county, config=load_config(settings))


def test_check_tells_it_as_a_problem_and_shows_every_table(small_county, settings, tmp_path):
    county = copy_of(small_county, tmp_path / "county")
    under_another_key(county, "fire_visits")

    found = check(county, config=load_config(settings), on=NIGHT)
    ran = CliRunner().invoke(cli, ["check", "--data", str(county), "--as-of", str(NIGHT), "--config", str(settings)])
    plain = CliRunner().invoke(cli, ["check", "--data", str(county), "--as-of", str(NIGHT), "--json"])

    assert any("fire_visits: 0 of" in problem for problem in found.problems)
    assert set(found.linked["table"]) == set(TABLES)
    assert ran.exit_code == plain.exit_code == 5
    assert "lowest_group" in ran.stdout
    assert {row["of"] for row in json.loads(plain.stdout)["links"]} == {"rows", "people", "homes", "registered"}


@pytest.fixture
def strange(first_night, settings, shared) -> Path:
    """The folder of the next night, in `out`, when care events met the register below their floor.

    Hospital events fell too, and are still above their floor of 50 in 100. `said.json` is what the command said.
    """

    def score_it(at: Path) -> None:
        county, out = copy_of(first_night / "county", at / "county"), copy_of(first_night / "out", at / "out")
        under_another_key(county, "care_events", share=0.8)
        under_another_key(county, "hospital_events", share=0.45)
        ran = scored(county, out, settings, "--json", on=NEXT)
        assert ran.exit_code == 0, ran.output
        (at / "said.json").write_text(ran.stdout)

    return shared.folder("strange-links", score_it)


def test_a_table_below_its_floor_is_told_everywhere(strange, settings):
    night = strange / "out" / "current"
    told = json.loads((night / "manifest.json").read_text(encoding="utf-8"))
    assert told["is_degraded"]
    assert [row["table"] for row in told["links"]["below"]] == ["care_events"]
    said = "fewer people are on the GP register than the 50 in 100 expected"
    pages = ("report.html", "agencies/social_care.html", "agencies/gp.html", "agencies/fire.html")
    assert all(said in (night / page).read_text(encoding="utf-8") for page in pages)
    printed = json.loads((strange / "said.json").read_text())
    assert said in str(printed["warnings"])
    assert printed["is_degraded"]
    assert any(said in note for note in check(strange / "county", config=load_config(settings), on=NEXT).notes)


def test_a_county_that_links_is_not_degraded_and_keeps_its_counts(first, small_county):
    told = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    links = validated(Links, pl.read_parquet(first / "links.parquet"))
    care = pl.read_parquet(small_county / "care_events.parquet")

    assert told["links"]["below"] == told["links"]["fallen"] == []
    assert not told["is_degraded"]
    (whole,) = links.filter(table="care_events", of="people", group="all").rows(named=True)
    assert whole["n"] == whole["n_linked"] == care["person_id"].n_unique()
    assert '<h2 id="links">' in (first / "annex.html").read_text(encoding="utf-8")


def test_fewer_than_20_are_told_and_neither_stop_nor_degrade(small_sent, settings):
    theirs = of_another_key(rows_of(small_sent, "fire_incidents").unique("household_id", maintain_order=True).head(19))
    config = load_config(settings)
    links = links_of(with_table(small_sent, "fire_incidents", theirs), config)

    stop_on_strangers(links, config.tables)
    told = with_links(NightFacts(NIGHT), links, config)

    assert ["fire incidents: fewer homes are on the GP register" in note for note in told.notes] == [True]
    assert not told.is_degraded


def test_a_fall_since_the_last_night_is_told(strange, first, settings):
    said = (strange / "said.json").read_text()
    told = json.loads((strange / "out" / "current" / "manifest.json").read_text(encoding="utf-8"))
    links = pl.read_parquet(strange / "out" / "current" / "links.parquet").filter(table="hospital_events")
    before = last_links(first.parent, on=NEXT)
    of_it_alone = with_fallen_links(NightFacts(NEXT), links, before=before, config=load_config(settings))

    assert of_it_alone.is_degraded
    assert "ospital events: fewer people are on the GP register than last time" in said
    assert "hospital_events" not in [row["table"] for row in told["links"]["below"]]
    assert "hospital_events" in [row["table"] for row in told["links"]["fallen"]]


@pytest.mark.parametrize("left", ["no links", "links of another form", "a damaged file"])
def test_a_last_night_without_links_of_use_is_no_hindrance(left, first, settings, tmp_path):
    out = copy_of(first.parent, tmp_path / "outreach")
    kept = out / "current" / "links.parquet"
    links = pl.read_parquet(kept)
    assert last_links(out, on=NEXT).equals(links)
    if left == "no links":
        kept.unlink()
    elif left == "links of another form":
        pl.DataFrame({"table": [1], "share": ["all"]}).write_parquet(kept)
    elif left == "a damaged file":
        kept.write_bytes(b"PAR1")

    before = last_links(out, on=NEXT)
    far_fewer = links.with_columns(share=0.0)
    told = with_fallen_links(NightFacts(NEXT), far_fewer, before=before, config=load_config(settings))

    assert before is None
    assert (told.notes, told.is_degraded) == ([], False)


def test_contacts_that_lists_told_of_under_an_old_key_do_not_stop(sent, settings, tmp_path, monkeypatch):
    def with_old_contacts(records, ledger, *, as_of):
        contacts = records.tables["contacts"].rows.with_columns(
            pl.when(pl.col(key).is_not_null()).then(pl.lit("c" * 32)).alias(key)
            for key in ("person_id", "household_id")
        )
        return records.with_rows(records.rows() | {"contacts": contacts})

    monkeypatch.setattr(nights, "with_recorded_contacts", with_old_contacts)

    frames, _ = worked_out(sent, settings, tmp_path)

    assert frames.links.filter(table="contacts", of="people", group="all")["share"].to_list() == [1.0]


def test_a_lower_floor_lets_a_table_of_strangers_pass(small_sent, bundle, tmp_path):
    config = settings_file(tmp_path / "settings", bundle=bundle)
    text = (shipped("configs") / "agencies.toml").read_text(encoding="utf-8")
    lowered = text.replace("[fire_visits]\n", "[fire_visits]\nstop_linked_below = 0\n")
    as_shipped = load_config(config)
    (config.parent / "agencies.toml").write_text(lowered, encoding="utf-8")
    theirs = with_table(small_sent, "fire_visits", of_another_key(rows_of(small_sent, "fire_visits")))
    links = links_of(theirs, as_shipped)

    with pytest.raises(SourceError, match="fire_visits: 0 of"):
        stop_on_strangers(links, as_shipped.tables)
    stop_on_strangers(links, load_config(config).tables)

    told = with_links(NightFacts(NIGHT), links, load_config(config))
    assert any("fire visits: fewer homes are on the GP register" in note for note in told.notes)


def test_rows_of_a_later_day_change_no_link(first, small_sent, settings):
    care = rows_of(small_sent, "care_events")
    stranger = {"person_id": "b" * 32, "started_on": NIGHT, "recorded_on": NIGHT}
    later = care.head(1).with_columns(pl.lit(value).alias(name) for name, value in stranger.items())
    config = load_config(settings)

    links = links_of(with_table(small_sent, "care_events", pl.concat([care, later])), config)

    assert links.equals(links_of(small_sent, config))
    of_care = pl.col("table") == "care_events"
    by_rows = of_care & (pl.col("of") != "registered")
    # Who may not be used is not asked by group in a night.
    assert links.filter(by_rows).equals(pl.read_parquet(first / "links.parquet").filter(by_rows))
