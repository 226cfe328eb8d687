"""What one recipient's row in the ledger lets it see, shown on made-up people, beside everything it may not see.

For those who sign the ledger. A small county is made up and its night is scored; the recipient's files are then read
as anyone who holds them could read them, and searched for each thing the ledger keeps from the recipient.
"""

import html
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config, load_config
from ageingwell.context import Surroundings
from ageingwell.given import day_of
from ageingwell.kept.sealed import read_kept
from ageingwell.night.before import before_of
from ageingwell.night.nearby import local_offers, with_local_offers
from ageingwell.night.score import OutreachRun, score
from ageingwell.pseudonyms import Key
from ageingwell.register import THEME_WORDS, Recipient
from ageingwell.room import scratch
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.views.apart import safeguarding_view
from ageingwell.views.columns import FOR_READERS_OF_RISK, AgencyView
from ageingwell.views.own_records import with_own_records
from ageingwell.views.reader import EVERY_THEME, Reader, reader_of
from ageingwell.views.recipient import view_for
from ageingwell.views.words import agency_words

PEOPLE = 400
ROWS = 5
UNREAD = "; its rule counts facts that it may not read"
SOURCES = pl.Schema(
    {"source": pl.String, "purposes": pl.String, "legal_basis": pl.String, "expires_on": pl.Date, "for": pl.String}
)
ABSENT = pl.Schema({"what": pl.String, "on_record": pl.Int64, "found": pl.Int64})


@dataclass(frozen=True)
class ExplainedView:
    """What a recipient sees, and what it does not.

    `columns`: column, title, meaning. `sources`: what the ledger permits for this recipient. `needs`: need, words and
    whether every fact of its rule may be read. `rows` are the first of `n_rows` made-up rows. `absent`: each thing
    kept from it, how often it is on record about the people of its rows, and how often it was found in `files`.
    """

    recipient: Recipient
    as_of: date
    readable: tuple[str, ...]
    forbidden: tuple[str, ...]
    shows_risk: bool
    reads_risk: bool
    sources: pl.DataFrame
    columns: pl.DataFrame
    needs: pl.DataFrame
    rows: pl.DataFrame
    n_rows: int
    absent: pl.DataFrame
    files: tuple[str, ...]

    @property
    def n_found(self) -> int:
        """How many forbidden things were found; anything but 0 is a fault of the program."""
        return int(self.absent["found"].sum())


def explain_view(
    recipient: Recipient,
    *,
    config: Config,
    n_rows: int = ROWS,
    people: int = PEOPLE,
    seed: int = 1,
    surroundings: Surroundings | None = None,
) -> ExplainedView:
    """Show what the ledger in `config` lets a recipient see, on the night of a made-up county.

    The ledger's views, the outreach settings and the interventions are those of `config`; the county is read and
    scored with the shipped settings and bundle, which suit it. Raises `NotPermittedError` where the ledger has no view
    for the recipient.
    """
    reader_of(recipient, ledger=config.ledger, thresholds=config.outreach.thresholds)
    with scratch() as place:
        plan = CountyPlan(people=people, seed=seed)
        synthesise(plan, place / "county")
        run = score(
            place / "county",
            as_of=day_of(plan.as_of),
            out=place / "nights",
            config=_for_made_up_people(config),
            surroundings=surroundings,
        )
        return explained(recipient, run, config=config, n_rows=n_rows)


def explained(recipient: Recipient, run: OutreachRun, *, config: Config, n_rows: int = ROWS) -> ExplainedView:
    """Show what the ledger in `config` lets a recipient see of a night of made-up people, and search its files."""
    reader = reader_of(recipient, ledger=config.ledger, thresholds=config.outreach.thresholds)
    as_of = day_of(run.facts.as_of)
    files = _files_of(recipient, run.folder)
    view = _view(recipient, run, config, as_of=as_of)
    return ExplainedView(
        recipient=recipient,
        as_of=as_of,
        readable=tuple(sorted(reader.themes)),
        forbidden=tuple(sorted(EVERY_THEME - reader.themes)),
        shows_risk=reader.shows_risk,
        reads_risk=reader.reads_risk,
        sources=_sources(recipient, config),
        columns=pl.DataFrame([(c.name, c.title, c.meaning) for c in view.columns], schema=_COLUMNS, orient="row"),
        needs=_needs(reader, config),
        rows=view.frame.head(n_rows),
        n_rows=view.frame.height,
        absent=_absent(reader, view, run, files, config),
        files=tuple(files),
    )


_COLUMNS = ["column", "title", "meaning"]


def _for_made_up_people(config: Config) -> Config:
    """The shipped settings, which suit a made-up county, with the group's own views, offers and words.

    Nobody's own files hold the technical annex, so its charts, which take longer than the night, are not drawn.
    """
    made_up = load_config()
    ledger = made_up.ledger.model_copy(update={"views": {**made_up.ledger.views, **config.ledger.views}})
    without = made_up.score.model_copy(update={"annex_charts": False})
    return replace(made_up, score=without, ledger=ledger, outreach=config.outreach, interventions=config.interventions)


def _view(recipient: Recipient, run: OutreachRun, config: Config, *, as_of: date) -> AgencyView:
    frames, key = run.frames, Key.made_up(0)
    if recipient == "safeguarding":
        return safeguarding_view(
            frames.safeguarded,
            needs=frames.needs,
            people=frames.people,
            ledger=config.ledger,
            as_of=as_of,
            key=key,
            settings=config.outreach,
        )
    view = view_for(
        recipient,
        rows=frames.listed,
        needs=frames.needs,
        reasons=frames.reasons,
        people=frames.people,
        ledger=config.ledger,
        as_of=as_of,
        key=key,
        settings=config.outreach,
        interventions=config.interventions,
        recorded=frames.recorded,
        remembered=before_of(recipient, frames, run.facts, config=config),
        less=frames.coarsened,
    )
    view = with_local_offers(view, local_offers(view, frames, run.facts, config=config), run.facts)
    return with_own_records(view, frames.past_events, ledger=config.ledger, key=key)


def _sources(recipient: Recipient, config: Config) -> pl.DataFrame:
    rows = [
        (
            source,
            ", ".join(entry.purposes).replace("_", " "),
            entry.legal_basis,
            entry.expires_on,
            "made-up data only" if entry.made_up_data_only else "any data",
        )
        for entry in config.ledger.permitted
        if recipient in entry.recipients
        for source in entry.sources
    ]
    return pl.DataFrame(rows, schema=SOURCES, orient="row")


def _needs(reader: Reader, config: Config) -> pl.DataFrame:
    """The needs the recipient leads, and how it reads them; of the group and the safeguarding lead, every need."""
    leads = {name: str(then.lead) for name, then in config.interventions.needs.items()}
    ours = [name for name, lead in leads.items() if lead == reader.recipient] or list(leads)
    rows = [(name, reader.need_words(name), reader.reads_need(name)) for name in ours]
    return pl.DataFrame(rows, schema={"need": pl.String, "words": pl.String, "whole_rule": pl.Boolean}, orient="row")


def _absent(
    reader: Reader, view: AgencyView, run: OutreachRun, files: Mapping[str, str], config: Config
) -> pl.DataFrame:
    """Everything kept from the reader, counted on record and in its files."""
    rows = [
        (f"facts about {THEME_WORDS[theme].lower()}", len(said), len(found_in(files.values(), said)))
        for theme, said in forbidden_sentences(reader, needs=run.frames.needs, reasons=run.frames.reasons).items()
    ]
    shown = {column.name for column in view.columns}
    withheld = () if reader.recipient == "safeguarding" else FOR_READERS_OF_RISK
    rows += [
        (
            f"column {column.name}: {column.meaning.lower()}",
            run.frames.listed.height,
            len(found_in(files.values(), [column.name])),
        )
        for column in withheld
        if column.name not in shown and not (column.name == "part" and reader.recipient == "group")
    ]
    words = words_of_needs(reader, run.frames.needs)
    rows.append(
        ("next steps that tell a need whose rule it may not read", len(words), len(found_in(files.values(), words)))
    )
    ids = pl.concat([run.frames.people["person_id"], run.frames.people["household_id"]]).drop_nulls().unique()
    return pl.DataFrame(
        [*rows, ("pseudonyms of the records", len(ids), len(found_in(files.values(), ids)))],
        schema=ABSENT,
        orient="row",
    )


def words_of_needs(reader: Reader, needs: pl.DataFrame) -> set[str]:
    """The next steps found on a night that would tell this reader a need whose rule it may not read."""
    steps = needs.select("need", "action").unique().rows()
    told = {action for need, action in steps if reader.tells(need)}
    return {action for need, action in steps if not reader.tells(need)} - told


def forbidden_sentences(reader: Reader, *, needs: pl.DataFrame, reasons: pl.DataFrame) -> dict[str, set[str]]:
    """By theme, the sentences told of anybody on a night that this reader may read in no way."""
    kept: dict[str, set[str]] = {theme: set() for theme in sorted(EVERY_THEME - reader.themes)}
    allowed: set[str] = set()
    said = [
        (reader.themes_of(need, sentence), sentence)
        for need, criterion in needs.select("need", "criterion").unique().rows()
        for sentence in criterion.split("; ")
    ]
    said += [(frozenset({theme}), text) for theme, text in reasons.select("theme", "text").drop_nulls().unique().rows()]
    for themes, sentence in said:
        if themes <= reader.themes:
            allowed.add(sentence)
        for theme in themes - reader.themes:
            kept[theme].add(sentence)
    return {theme: sentences - allowed for theme, sentences in kept.items()}


def found_in(texts: Iterable[str], words: Iterable[str]) -> list[str]:
    """Which of these words or sentences stand in any of the texts, as a whole: not within a longer word.

    Capitals count as small letters, for a sentence may begin anywhere.

    >>> found_in(["Lives alone; fell"], ["fell", "alone", "one"])
    ['alone', 'fell']
    """
    together = "\n".join(texts).lower()
    # Most stand nowhere, which a plain search says many times sooner than an expression.
    there = (one for one in words if one.lower() in together)
    return sorted(one for one in there if re.search(rf"(?<![\w-]){re.escape(one.lower())}(?![\w-])", together))


def _files_of(recipient: Recipient, night: Path) -> dict[str, str]:
    """The recipient's own files of a night, by path: everything that can be read in each, its name included."""
    folder = night / "agencies"
    own = {"group": ["report.html", "group.*"], "safeguarding": ["safeguarding.*"]}
    found = (
        [path for pattern in own[recipient] for path in night.glob(pattern)]
        if recipient in own
        else list(folder.glob(f"{recipient}.*"))
    )
    names = [path.relative_to(night).as_posix() for path in sorted(found)]
    return {name: readable_text(Path(name).name, read_kept(night, name)) for name in names}


def readable_text(name: str, content: bytes) -> str:
    """Everything that can be read in a file: a workbook's parts unpacked, mark-up as the characters it stands for."""
    if name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"\n".join(book.read(part) for part in book.namelist())
    text = content.decode("utf-8", "replace")
    return name + "\n" + (html.unescape(text) if name.endswith((".xlsx", ".html")) else text)


def view_text(view: ExplainedView) -> str:
    """The same in words for a terminal."""
    who = agency_words(view.recipient)
    lines = [
        f"What {who} may see: made-up people, night of {view.as_of}",
        "",
        f"[views.{view.recipient}] in the permission ledger",
        f"  may read facts about:     {_themes(view.readable)}",
        f"  may not read facts about: {_themes(view.forbidden)}",
        f"  the risk and its order:   {_risk_words(view)}",
        "",
        "Records used to make its list (it does not see these records)",
        *(
            f"  {row['source']:<18} {row['purposes']}; {row['legal_basis']}; until {row['expires_on']}; {row['for']}"
            for row in view.sources.to_dicts()
        ),
        "",
        "Its needs, in the words it reads",
        *(f"  {row['need']:<28} {row['words']}{'' if row['whole_rule'] else UNREAD}" for row in view.needs.to_dicts()),
        "",
        "The columns of its list",
        *(f"  {row['column']:<20} {row['meaning']}" for row in view.columns.to_dicts()),
        "",
        f"Its rows: the first {view.rows.height} of {view.n_rows}",
    ]
    for number, row in enumerate(view.rows.to_dicts(), start=1):
        lines += [f"  {number}.", *(f"     {name:<20} {_cell(value)}" for name, value in row.items())]
    lines += ["", f"What it may not see, looked for in {', '.join(view.files)}"]
    lines += [
        f"  {row['what']}: {row['on_record']:,} on record, {'absent' if not row['found'] else 'FOUND'}"
        for row in view.absent.to_dicts()
    ]
    return "\n".join(lines)


def _themes(themes: Iterable[str]) -> str:
    return ", ".join(THEME_WORDS[theme].lower() for theme in themes) or "nothing"


def _risk_words(view: ExplainedView) -> str:
    if view.reads_risk:
        return "shown"
    if view.shows_risk:
        return "not shown: shows_risk counts only with every theme, from which the estimate is computed"
    return "not shown"


def _cell(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
