"""The papers of a night: every figure from a field, what changed, who signed, and columns that nothing uses."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of
from helpers.hard_words import hard_words, still_hard
from helpers.reader_text import Text

from ageingwell.audit.writing import read_lines
from ageingwell.bundle import load_bundle
from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.contracts import registry
from ageingwell.errors import SignoffError
from ageingwell.governance.columns_used import OTHER_USES, column_uses, with_weight
from ageingwell.governance.disclosure import SMALL
from ageingwell.governance.hazards import Results, named_tests, shipped_hazards
from ageingwell.jobs.standing import status
from ageingwell.kept.reading import read_night
from ageingwell.night.in_memory import outreach_list
from ageingwell.outreach.rules import need_rules
from ageingwell.papers.comparing import differences, not_as_signed
from ageingwell.papers.drafting import Draft, drafts_of, filled
from ageingwell.papers.drawing import as_markdown
from ageingwell.papers.facts import pack_facts
from ageingwell.papers.fields import Field, fields_of
from ageingwell.papers.making import sign, signoff
from ageingwell.papers.run import Run, read_run
from ageingwell.papers.signing_off import PACK, SIGNATURES, read_signed
from ageingwell.papers.tables import TABLES
from ageingwell.papers.wording import FIELD, Blank, templates

NOT_PASSED = Results(version="0", made_on=NIGHT, tests=dict.fromkeys(named_tests(shipped_hazards()), "failed"))
ROLE = "clinical safety officer"
SRC = Path(registry.__file__).parents[1]


@pytest.fixture(scope="module")
def run(first_night: Path, settings: Path) -> Run:
    return read_run(first_night / "out", night=None, config=load_config(settings))


@pytest.fixture
def out(first_night: Path, tmp_path: Path) -> Path:
    return copy_of(first_night / "out", tmp_path / "out")


@pytest.fixture(scope="module")
def drawn(first_night: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of nights and the pack of its current one, to copy."""
    here = tmp_path_factory.mktemp("drawn")
    out = copy_of(first_night / "out", here / "out")
    signoff(out, pack=here / "pack", config=settings)
    return here


@pytest.fixture
def pack(drawn: Path, tmp_path: Path) -> Path:
    return copy_of(drawn / "pack", tmp_path / "pack")


# Figures


def test_no_digit_stands_in_a_template_but_in_headings_and_names_of_standards():
    texts = [text for template in templates().values() for text in template.texts]

    assert [text for text in texts if re.search(r"\d", FIELD.sub("", text))] == []
    assert {name for template in templates().values() for part in template.part for name in part.tables} <= set(TABLES)


def test_every_figure_in_the_papers_is_one_of_a_field_or_of_a_table_of_the_run(run: Run):
    """Each field and each cell is given letters in place of its digits: then no digit may be left in a text."""
    fields = {name: Field(re.sub(r"\d", "x", one.value), one.where) for name, one in fields_of(run).items()}
    asked = set()
    for template in templates().values():
        for text in template.texts:
            asked |= set(FIELD.findall(text))
            told = filled(text, fields)
            assert not re.search(r"\d", told.text if not isinstance(told, Blank) else told.what), text

    assert asked <= set(fields), "a field that nothing fills"
    assert all(one.where for one in fields.values())
    assert all(table.where for draft in drafts_of(run) for part in draft.parts for table in part.tables)


@pytest.mark.parametrize(
    ("change", "field", "papers"),
    [
        ({"week": {"n_people": 40, "n_homes": 30, "n_waiting": 20}}, "n_listed", {"transparency-record", "dpia-annex"}),
        ({"population": {"people": 990, "homes": 800, "practices": {}}}, "n_population", {"dpia-annex"}),
        ({"missing": ["homes"]}, "missing", {"safety-case"}),
        ({"capacity": {"gp": 3, "fire": 4}}, "visits_per_week", {"transparency-record", "evaluation-plan"}),
        ({"works_less_well_for": ["men"]}, "works_less_well_for", {"equality-report", "transparency-record"}),
    ],
)
def test_a_changed_run_changes_the_papers(run: Run, change: dict, field: str, papers: set[str]):
    other = replace(run, facts={**run.facts, **change})
    before, after = ({draft.name: as_markdown(draft) for draft in drafts_of(one)} for one in (run, other))

    assert fields_of(run)[field] != fields_of(other)[field]
    assert papers <= {name for name in before if before[name] != after[name]}


def test_what_a_run_does_not_tell_becomes_a_blank_and_never_a_figure(run: Run):
    untold = replace(run, facts={**run.facts, "track_record": None})
    plan = next(draft for draft in drafts_of(untold) if draft.name == "evaluation-plan")

    without_log = {name for name, one in fields_of(replace(run, uses=[])).items() if name == "n_uses"}

    assert without_log == set(), "no line of the log is not the same as no use"
    assert "This run does not tell track_record" in {blank.why for _, blank in plan.blanks}
    assert "By the model's own test" not in as_markdown(plan)


def test_a_paper_names_a_role_a_task_and_a_reason_for_each_blank_and_every_standard_its_parts(run: Run):
    drafts = {draft.name: draft for draft in drafts_of(run)}

    assert list(drafts) == [
        *("model-card", "transparency-record", "dpia-annex", "hazard-log", "safety-case", "equality-report"),
        "evaluation-plan",
    ]
    assert all(blank.role and blank.what and blank.why for draft in drafts.values() for _, blank in draft.blanks)
    assert all(draft.blanks for draft in drafts.values())
    steps = [part.heading for part in drafts["dpia-annex"].parts]
    assert [n for n in range(1, 8) if any(heading.startswith(f"Step {n}") for heading in steps)] == list(range(1, 8))
    record = " ".join(part.heading for part in drafts["transparency-record"].parts)
    for number in ("1.1", "1.4", "2.1.1", "2.1.4", "2.2.4", "2.3.5", "2.4.1.5", "2.4.2", "2.4.3", "2.4.4", "2.5.2"):
        assert number in record


def test_what_people_wrote_in_the_card_stays_and_is_not_asked_again(run: Run):
    filled_in = run.card.replace(
        "- Local review of the code lists: ____", "- Local review of the code lists: by A Example"
    )
    assert filled_in != run.card
    card, before = drafts_of(replace(run, card=filled_in))[0], drafts_of(run)[0]

    assert "by A Example" in as_markdown(card)
    assert len(card.blanks) == len(before.blanks) - 1
    assert as_markdown(before).count("____") == len(before.blanks)


def test_the_equality_report_shows_no_small_count(run: Run):
    rows = run.facts["rates_by_group"]["listed"]
    hidden = [row["n_listed"] is None for row in rows]

    assert {row["group"] for row in rows} == {"age_band", "sex", "ethnic_group", "deprivation_fifth"}
    assert [row for row in rows for n in (row["n"], row["n_listed"]) if n is not None and (n % 5 or 0 < n < 8)] == []
    for group in {row["group"] for row in rows}:
        assert sum(is_hidden for row, is_hidden in zip(rows, hidden, strict=True) if row["group"] == group) != 1
    report = next(draft for draft in drafts_of(run) if draft.name == "equality-report")
    listed = report.parts[0].tables[0]
    assert all(row[3] == "not shown" for row in listed.rows if row[2] == "not shown")
    assert SMALL not in {row[2] for row in listed.rows}


def test_nobody_is_named_in_a_pack(pack: Path, out: Path):
    people = pl.read_parquet(out / str(NIGHT) / "scores.parquet")
    words = people["person_id"].to_list() + people["household_id"].drop_nulls().to_list()
    whole = b"".join(path.read_bytes() for path in pack.iterdir())

    assert [word for word in words if word.encode() in whole] == []


# The pack


def test_the_same_night_gives_the_same_bytes_and_a_later_use_of_the_log_changes_none(
    out: Path, settings: Path, tmp_path: Path
):
    first, second = (signoff(out, pack=tmp_path / name, config=settings).folder for name in ("one", "two"))

    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name
    lines = [line for line in read_lines(out / "audit.jsonl") if line["did"] == "signoff"]
    assert [line["stage"] for line in lines] == ["begun", "done"] * 2
    assert lines[1]["folder"] == str(NIGHT)


def test_every_figure_is_in_the_table_of_figures_with_its_file_and_field(pack: Path):
    rows = list(csv.DictReader(io.StringIO((pack / "figures.csv").read_text(encoding="utf-8-sig"))))

    assert {row["where"].split(":")[0] for row in rows} >= {"manifest.json", "score.toml", "outreach.toml"}
    blanks = list(csv.DictReader(io.StringIO((pack / "blanks.csv").read_text(encoding="utf-8-sig"))))
    assert {"clinical safety officer", "IG lead", "senior responsible owner"} <= {row["role"] for row in blanks}


def test_each_paper_is_one_file_that_loads_nothing(pack: Path):
    for path in pack.glob("*.html"):
        text = path.read_text()
        assert text.startswith("<!DOCTYPE html>")
        assert not re.search(r"<script|<link|<img|src=|url\(|@import", text)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda out: (out / str(NIGHT) / "needs.parquet").write_bytes(b"x"), "not as it was published"),
        (lambda out: (out / "current").unlink(), "there is no night in this folder yet"),
    ],
)
def test_a_night_that_is_not_as_it_was_published_is_not_signed_off(out, settings, tmp_path, spoil, fault):
    spoil(out)

    with pytest.raises(SignoffError, match=fault):
        signoff(out, pack=tmp_path / "pack", config=settings)
    assert not (tmp_path / "pack").exists()


def test_other_settings_and_another_model_than_the_nights_are_refused(out, settings, tmp_path):
    with pytest.raises(SignoffError, match="other settings"):
        signoff(out, pack=tmp_path / "pack")
    facts = out / str(NIGHT)
    told = json.loads((facts / "manifest.json").read_text())
    (facts / "manifest.json").write_text(json.dumps(told | {"bundle": told["bundle"] | {"digest": "0" * 64}}))
    _seal(facts)
    with pytest.raises(SignoffError, match="another model"):
        signoff(out, pack=tmp_path / "pack", config=settings)
    (facts / "manifest.json").write_text(json.dumps(told | {"format": 4}))
    _seal(facts)
    with pytest.raises(SignoffError, match="another version of ageingwell made the night"):
        signoff(out, pack=tmp_path / "pack", config=settings)
    with pytest.raises(SignoffError, match="no night of 2026-01-01"):
        signoff(out, pack=tmp_path / "pack", config=settings, night="2026-01-01")


def _seal(folder: Path) -> None:
    from ageingwell.kept.sealed import seal_night

    (folder / "SHA256SUMS").unlink()
    seal_night(folder)


# Signing


def test_a_pack_is_signed_as_people_filled_it_in_and_any_later_change_is_seen(pack, out, settings):
    card = pack / "model-card.md"
    card.write_text(card.read_text().replace("____", "written by a person", 1))
    mine = sign(pack, out=out, who="A Example", role=ROLE, on="2026-11-29", config=settings)
    also = sign(pack, out=out, who="B Example", role="IG lead", on="2026-11-30", config=settings)

    assert mine.edited == ("model-card.md",)
    assert mine.n_blanks > 0
    signed = read_signed(pack)
    assert [one.words for one in signed.signatures] == [mine.words, also.words]
    assert mine.sums_sha256 == also.sums_sha256
    log = [line for line in read_lines(out / "audit.jsonl") if line.get("reason") == "signature"]
    assert [line["role"] for line in log] == [ROLE, "IG lead"]
    assert "Example" not in (out / "audit.jsonl").read_text()

    card.write_text(card.read_text() + "one more word")
    with pytest.raises(SignoffError, match=r"model-card\.md is not the file that was saved; the signatures hold no"):
        read_signed(pack)
    with pytest.raises(SignoffError, match="was changed after B Example"):
        sign(pack, out=out, who="C Example", role=ROLE, config=settings)


@pytest.mark.parametrize("name", [PACK, "figures.csv", "blanks.csv"])
def test_what_the_run_made_cannot_be_signed_once_it_is_changed(pack, out, settings, name):
    (pack / name).write_bytes((pack / name).read_bytes().replace(b"2", b"3", 1))

    with pytest.raises(SignoffError, match="is not as the run made it"):
        sign(pack, out=out, who="A Example", role=ROLE, config=settings)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda pack: (pack / "hazard-log.md").unlink(), r"hazard-log\.md is gone"),
        (lambda pack: (pack / "SHA256SUMS").unlink(), "SHA256SUMS cannot be read"),
        (lambda pack: (pack / PACK).write_text("{}"), "this is not a pack"),
        (lambda pack: (pack / SIGNATURES).write_text("[]"), "cannot be read"),
        (lambda pack: (pack / "link.md").symlink_to("/etc/passwd"), "is a link"),
        (lambda pack: shutil.rmtree(pack), "there is no such pack"),
    ],
)
def test_a_pack_that_is_spoilt_is_not_signed(pack, out, settings, spoil, fault):
    spoil(pack)

    with pytest.raises(SignoffError, match=fault):
        sign(pack, out=out, who="A Example", role=ROLE, config=settings)


@pytest.mark.parametrize(("who", "role", "fault"), [("", ROLE, "name of a person"), ("A", "Dr A", "not one of those")])
def test_a_signature_has_a_name_and_a_role_of_the_settings(pack, out, settings, who, role, fault):
    with pytest.raises(SignoffError, match=fault):
        sign(pack, out=out, who=who, role=role, config=settings)


# What changed


def test_against_a_signed_pack_the_same_night_has_no_difference(pack, out, settings, tmp_path):
    with pytest.raises(SignoffError, match="nobody has signed"):
        signoff(out, pack=tmp_path / "again", against=pack, config=settings)
    sign(pack, out=out, who="A Example", role=ROLE, on="2026-11-29", config=settings)

    made = signoff(out, pack=tmp_path / "again", against=pack, config=settings)

    assert made.differences == ()
    assert "Nothing is different" in (made.folder / "differences.md").read_text()
    assert "A Example (clinical safety officer) on 2026-11-29" in (made.folder / "differences.html").read_text()


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        (lambda run: replace(run, facts={**run.facts, "missing": ["homes"]}), "figure", "missing"),
        (
            lambda run: replace(
                run,
                config=replace(run.config, outreach=run.config.outreach.model_copy(update={"random_share": 0.2})),
            ),
            "setting",
            "outreach.random_share",
        ),
        (lambda run: replace(run, hazards=run.hazards[1:]), "hazard", "wrong-person-listed: controls"),
        (lambda run: replace(run, results=NOT_PASSED), "test", "tests/functional"),
        (lambda run: replace(run, columns=run.columns[1:]), "column", "gp_patients.person_id"),
        (lambda run: replace(run, facts={**run.facts, "config": "0" * 64}), "run", "config"),
    ],
    ids=["figure", "setting", "hazard", "test", "column", "run"],
)
def test_each_kind_of_change_is_told(run, change, kind, what):
    then, now = (pack_facts(one, drafts_of(one)) for one in (run, change(run)))

    found = [one for one in differences(then, now) if one.kind == kind]

    assert [one for one in found if one.what.startswith(what)]


def test_status_says_when_a_night_is_not_made_with_what_was_signed(pack, out, settings):
    config = load_config(settings)
    sign(pack, out=out, who="A Example", role=ROLE, config=config)
    told = json.loads((out / str(NIGHT) / "manifest.json").read_text())
    named = config.score.model_copy(update={"signoff": config.score.signoff.model_copy(update={"signed": str(pack)})})

    def kinds() -> set[str]:
        return {fault.kind for fault in status(out, config=replace(config, score=named)).faults}

    assert not kinds() & {"not_signed", "signed_pack"}
    assert not_as_signed(read_signed(pack).facts, told) == []
    assert not_as_signed(read_signed(pack).facts, told | {"config": "0"}) == ["the settings"]
    (out / str(NIGHT) / "manifest.json").write_text(json.dumps(told | {"config": "0" * 64}))
    assert "not_signed" in kinds()
    (pack / "README.md").write_text("other words")
    assert "signed_pack" in kinds()


# Columns that nothing uses


def test_a_planted_column_that_nothing_uses_is_proposed_for_removal(run, monkeypatch):
    real = registry.columns("fire_visits")
    planted = replace(real[-1], name="eye_colour")
    monkeypatch.setattr(
        "ageingwell.governance.columns_used.columns",
        lambda table: (*real, planted) if table == "fire_visits" else registry.columns(table),
    )

    found = {(one.table, one.column): one.kind for one in column_uses(need_rules(run.config.outreach.thresholds), {})}

    assert found[("fire_visits", "eye_colour")] == "not used"
    assert found[("fire_visits", "smoker")] == "used"


def test_a_column_behind_facts_without_weight_alone_is_told(run, monkeypatch):
    bundle = load_bundle("demo")
    with_all = with_weight(bundle.models)
    monkeypatch.setattr("ageingwell.governance.columns_used.with_weight", lambda _: set())

    none = {(one.table, one.column): one.kind for one in column_uses((), bundle.models)}

    assert with_all <= set(bundle.ranking_model.features)
    assert none[("gp_patients", "sex")] == "no weight"
    assert none[("gp_patients", "practice_code")] == "used"


def test_every_use_by_another_step_is_still_there():
    text = {use: (SRC / f"{use.module.replace('.', '/')}.py").read_text(encoding="utf-8") for use in OTHER_USES}

    assert [use for use in OTHER_USES if not re.search(rf"\b{use.column}\b", text[use])] == []


def test_a_night_is_the_same_without_the_columns_that_are_used_for_nothing(first_night, settings, run, tmp_path):
    county = copy_of(first_night / "county", tmp_path / "county")
    unused = [one for one in run.columns if one.kind in ("not used", "repeats alone")]
    assert unused
    before = read_night(first_night / "out" / str(NIGHT)).frames
    for one in unused:
        path = county / f"{one.table}.parquet"
        pl.read_parquet(path).drop(one.column).write_parquet(path)
    after = outreach_list(county, as_of=NIGHT, config=settings)

    for name in ("listed", "needs", "reasons", "scores"):
        one, other = (getattr(frames, name).lazy().collect() for frames in (before, after.frames))
        assert one.equals(other), name


# The command


def test_the_command_draws_signs_and_ends_with_32(out, settings, tmp_path):
    def ran(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["signoff", "--out", str(out), "--config", str(settings), *words])
        return done.exit_code, done.output

    pack = str(tmp_path / "pack")
    code, said = ran("--pack", pack)
    assert code == 0
    assert "7 papers drawn from the night 2026-11-22" in said
    assert "Open first:" in said
    signed = json.loads(ran("--pack", pack, "--sign", "--name", "A Example", "--role", ROLE, "--json")[1])
    assert (signed["who"], signed["role"]) == ("A Example", ROLE)
    told = json.loads(ran("--pack", str(tmp_path / "again"), "--against", pack, "--json")[1])
    assert told["differences"] == []
    assert ran("--pack", str(tmp_path / "third"), "--night", "2026-01-01")[0] == SignoffError.exit_code == 32
    assert ran("--pack", pack)[0] == 9, "a pack that is there is never written over"
    assert ran("--pack", pack, "--sign")[0] == 2
    assert ran("--pack", pack, "--name", "A")[0] == 2


def test_a_draft_of_nothing_has_no_blanks():
    assert Draft("x", "X", "none").blanks == ()


def test_no_hard_word_stands_in_a_paper_or_in_the_hazard_log(run: Run):
    texts = [Text("papers", 1, text) for template in templates().values() for text in template.texts]
    texts += [Text("headings", 1, part.heading) for template in templates().values() for part in template.part]
    for one in run.hazards:
        said = (one.hazard, one.cause, one.effect, one.stays, *(control.says for control in one.control))
        texts += [Text("hazards", 1, text) for text in said]

    assert still_hard(texts, hard_words()) == []
