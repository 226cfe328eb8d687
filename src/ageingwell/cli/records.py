"""The commands of records: check, synth, and at the agency pseudonymise."""

import json
import sys
from datetime import date
from pathlib import Path

import click

from ageingwell.cli.connecting import extracted_on_option, tell_raw_check
from ageingwell.cli.entry import config_of, needed_key, progress, throwaway_key
from ageingwell.cli.places import DATA, KEY_FILE, OUT, SOURCE_FILE
from ageingwell.cli.root import DAY, cli, config_option, json_option, log_option
from ageingwell.cli.telling import print_table, tell_check, told_value


@cli.command()
@click.option("--data", type=DATA, help="The folder that holds the contract tables.")
@click.option("--raw", type=DATA, help="Instead of --data: the folder of an agency's own files.")
@extracted_on_option
@click.option("--refused-to", type=OUT, help="Write every refused row here: file, row number, column, rules.")
@click.option(
    "--as-of",
    type=DAY,
    help="The night the records are for. Rows dated later are counted. Without it: today.",
)
@config_option
@json_option
@log_option
def check(
    data: Path | None,
    raw: Path | None,
    extracted_on: date | None,
    refused_to: Path | None,
    as_of: date | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Check the records against their contracts: what would be refused, what is missing and why. Nothing is scored."""
    from ageingwell.jobs import checking, connecting

    if (data is None) == (raw is None):
        raise click.UsageError("give one of --data (contract tables) and --raw (an agency's own files)")
    if raw is not None:
        with progress() as world:
            seen = connecting.connect(
                raw,
                config=config_of(config_path),
                key=throwaway_key(),
                on=as_of,
                extracted_on=extracted_on,
                refused_to=refused_to,
                surroundings=world,
            )
        tell_raw_check(seen, as_json=as_json)
        return
    with progress() as world:
        found = checking.check(
            data or Path(), config=config_of(config_path), refused_to=refused_to, on=as_of, surroundings=world
        )
    if as_json:
        click.echo(json.dumps({name: told_value(value) for name, value in vars(found).items()}, default=str))
    else:
        tell_check(found)
    if found.problems:
        sys.exit(5)


@cli.command()
@click.option(
    "--people", required=True, type=click.IntRange(min=1), help="People aged 65 and over; younger ones on top."
)
@click.option("--out", required=True, type=OUT, help="Where to write the tables.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Seed of every draw.")
@click.option(
    "--as-of",
    default="2026-11-22",
    show_default=True,
    type=DAY,
    help="The day the extracts are taken.",
)
@click.option("--raw", is_flag=True, help="The agencies' raw extracts, with made-up NHS numbers and names.")
@click.option(
    "--dirty", default=0.0, type=click.FloatRange(0, 0.5), help="Spoil this share of rows, with an answer file."
)
@click.option("--words", multiple=True, help="Codes or labels that nobody recognises, such as ctv3; again for more.")
@click.option("--allow-list", is_flag=True, help="National opt-outs as the list of people who may be used.")
@click.option("--rate-shift", default=0.0, type=float, help="Add this to the log of every rate: another county.")
@click.option("--known-on", type=DAY, help="Write only what agencies had sent by this day.")
@click.option(
    "--after", type=OUT, help="A folder of nights of this county: everyone on their lists is offered a visit."
)
@click.option(
    "--take-up", default=0.6, show_default=True, type=click.FloatRange(0, 1), help="Share of offers taken up."
)
@click.option(
    "--visit-effect",
    default=0.0,
    show_default=True,
    type=click.FloatRange(-3, 0.7),
    help="What a visit adds to the log of the rate of emergency admissions. 0: visits do nothing.",
)
@click.option("--check-rates", is_flag=True, help="Print the county's rates next to published ones.")
@json_option
@log_option
def synth(
    people: int,
    out: Path,
    seed: int,
    as_of: date,
    raw: bool,
    dirty: float,
    words: tuple[str, ...],
    allow_list: bool,
    rate_shift: float,
    known_on: date | None,
    after: Path | None,
    take_up: float,
    visit_effect: float,
    check_rates: bool,
    as_json: bool,
) -> None:
    """Make up a county: four agencies' records about people who do not exist, with known truth."""
    from ageingwell.jobs import imagining
    from ageingwell.synthetic import county, rates, visited

    plan = county.CountyPlan(
        people=people,
        seed=seed,
        as_of=as_of,
        raw=raw,
        dirty=dirty,
        rate_shift=rate_shift,
        words=words,
        allow_list=allow_list,
    )
    with progress() as world:
        made = imagining.synth(
            plan,
            out,
            known_on=known_on,
            after=after,
            visits=visited.Visits(take_up, visit_effect, seed),
            progress=lambda stage, share: world.tell(f"{stage} {share:.0%}"),
        )
    if as_json:
        click.echo(json.dumps({"folder": str(made.folder), "n_people_65plus": made.n_people_65plus, "rows": made.rows}))
    else:
        click.echo(
            f"{made.n_people_65plus:,} people aged 65 and over ({made.n_people:,} in all) in {made.n_homes:,} homes: "
            f"{made.folder}"
        )
    if check_rates:
        print_table(rates.check_rates(out))


@cli.command()
@click.option("--raw", required=True, type=DATA, help="The folder of this agency's raw extracts.")
@click.option("--out", required=True, type=OUT, help="Where to write the contract tables.")
@click.option("--key-file", type=KEY_FILE, help="The key of the pseudonyms: 32 random bytes that only you can read.")
@click.option("--key-fd", type=int, help="An open file descriptor to read the key from.")
@click.option("--made-up-key", type=int, help="The public key of made-up county number N, for made-up records only.")
@extracted_on_option
@click.option("--lsoa-lookup", type=SOURCE_FILE, help="Postcodes and their areas: columns postcode, lsoa21.")
@click.option(
    "--ids",
    type=click.Choice(["nhs_number", "own"]),
    help="What every table holds in nhs_number and uprn: NHS numbers and UPRNs, or the agency's own ids (any text). "
    "Without it: what the settings say for each table.",
)
@config_option
@json_option
def pseudonymise(
    raw: Path,
    out: Path,
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    extracted_on: date | None,
    lsoa_lookup: Path | None,
    ids: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Turn an agency's raw extracts into contract tables. Run it at the agency."""
    from ageingwell import pseudonyms
    from ageingwell.contracts.registry import TABLES
    from ageingwell.profiles.profile import known_profiles

    config = config_of(config_path)
    made = pseudonyms.pseudonymise(
        raw,
        out=out,
        key=needed_key(key_file, key_fd, made_up_key),
        contract_columns={table: list(model.to_schema().columns) for table, model in TABLES.items()},
        lsoa_lookup=lsoa_lookup,
        column_names={table: pseudonyms.raw_names(settings.columns) for table, settings in config.tables.items()},
        profiles=known_profiles(config.own_profiles),
        settings=config.tables,
        sources=config.sources,
        extracted_on=extracted_on,
        own_ids={table: (ids or settings.ids) == "own" for table, settings in config.tables.items()},
        max_refused_share=config.score.max_refused_share,
    )
    told = {"folder": str(out), **pseudonyms.record_of(made)}
    click.echo(json.dumps(told) if as_json else pseudonyms.pseudonymised_text(made))
