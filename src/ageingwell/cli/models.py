"""The commands of a model: train, evaluate, recalibrate, seal."""

import json
from datetime import date
from pathlib import Path

import click

from ageingwell.cli.entry import config_of, progress
from ageingwell.cli.places import KEY_FILE, OUT
from ageingwell.cli.root import cli, config_option, data_option, json_option, log_option, recorded_up_to_option


@cli.command()
@data_option
@click.option("--out", required=True, type=OUT, help="The bundle folder to write.")
@recorded_up_to_option
@config_option
@json_option
@log_option
def train(data: Path, out: Path, recorded_up_to: date | None, config_path: Path | None, as_json: bool) -> None:
    """Train a model bundle on records of several years."""
    from ageingwell.learning import training

    with progress() as world:
        run = training.train(
            data, out=out, config=config_of(config_path), recorded_up_to=recorded_up_to, surroundings=world
        )
    for outcome, seen in run.facts["training"].get("traps", {}).items():
        for trap in seen:
            click.echo(f"{outcome}: {trap}", err=True)
    if as_json:
        click.echo(json.dumps({"folder": str(run.folder), **run.facts}))
        return
    for outcome, found in run.facts["evaluation"].items():
        rivals = ", ".join(f"{name} {rival['value']:.3f}" for name, rival in found["rivals"].items())
        click.echo(f"{outcome}: AUROC {found['auroc']['value']:.3f} on {found['n']:,} people ({rivals})")
    click.echo(f"verdict: {run.facts['verdict']['reason']}")
    click.echo(f"bundle: {run.folder}, its card: {run.folder / 'card.md'}")
    if run.facts["verdict"]["usable"]:
        click.echo(f'To use it, write bundle = "{run.folder}" into score.toml.')


@cli.command()
@data_option
@click.option(
    "--bundle", help="The bundle to evaluate: a shipped name or a folder. Without it: the one in the settings."
)
@click.option("--out", required=True, type=OUT, help="Where to write the tables.")
@recorded_up_to_option
@click.option(
    "--weeks", default=13, show_default=True, type=click.IntRange(1, 52), help="The list is as long as these weeks."
)
@click.option("--cost-gbp", type=click.FloatRange(min=0), help="What one event costs: adds the spend ceiling.")
@click.option(
    "--redraws",
    default=0,
    show_default=True,
    type=click.IntRange(0, 200),
    help="Fit again this many times on redrawn sets of households, to see how much of the list is luck.",
)
@click.option("--without-machine", is_flag=True, help="Leave the explainable boosting machine out of the comparison.")
@config_option
@json_option
@log_option
def evaluate(
    data: Path,
    bundle: str | None,
    out: Path,
    recorded_up_to: date | None,
    weeks: int,
    cost_gbp: float | None,
    redraws: int,
    without_machine: bool,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Measure a model bundle on the latest year, on households it never saw, next to simpler methods."""
    from ageingwell.learning import evaluating

    config = config_of(config_path)
    with progress() as world:
        run = evaluating.evaluate(
            data,
            config=config,
            bundle=bundle or config.score.bundle,
            out=out,
            recorded_up_to=recorded_up_to,
            weeks=weeks,
            cost_gbp=cost_gbp,
            redraws=redraws,
            machine=not without_machine,
            surroundings=world,
        )
    click.echo(json.dumps({"folder": str(run.folder), **run.facts}) if as_json else evaluating.summary_text(run))
    if not as_json:
        click.echo(f"tables: {run.folder}")


@cli.command()
@data_option
@click.option(
    "--bundle", help="The bundle to start from: a shipped name or a folder. Without it: the one in the settings."
)
@click.option("--out", required=True, type=OUT, help="The folder of the place's bundle.")
@recorded_up_to_option
@config_option
@json_option
@log_option
def recalibrate(
    data: Path, bundle: str | None, out: Path, recorded_up_to: date | None, config_path: Path | None, as_json: bool
) -> None:
    """Move a bundle's calibration to one place, as far as the place's own events can say."""
    from ageingwell.learning import recalibrating

    config = config_of(config_path)
    with progress() as world:
        run = recalibrating.recalibrate(
            data,
            bundle=bundle or config.score.bundle,
            out=out,
            config=config,
            recorded_up_to=recorded_up_to,
            surroundings=world,
        )
    click.echo(json.dumps({"folder": str(run.folder), **run.facts}) if as_json else recalibrating.moves_text(run))


@cli.command()
@click.argument("bundle", type=OUT)
@click.option("--sign", type=KEY_FILE, help="Sign it with the private key in this file (Ed25519, PEM).")
@json_option
def seal(bundle: Path, sign: Path | None, as_json: bool) -> None:
    """Seal a bundle again after its card was filled in, sign it, or seal one that an earlier version made."""
    from ageingwell.jobs import sealing

    done = sealing.seal(bundle, sign=sign)
    if as_json:
        click.echo(json.dumps({"folder": str(done.folder), "sums_sha256": done.sums_sha256, "signer": done.signer}))
        return
    for line in done.told:
        click.echo(line)
    click.echo(f"sealed: {done.folder}; SHA-256 of its SHA256SUMS: {done.sums_sha256}")
    if done.signer:
        click.echo(
            f'To accept no bundle signed by others, write signers = ["{done.signer}"] under [model] in score.toml.'
        )
