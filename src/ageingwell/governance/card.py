"""The model card of a bundle: what it is for, what it must not be used for, how it was made, how good it was."""

from collections.abc import Mapping
from typing import Any

from ageingwell.model.fitted import FittedRisk

NOT_FOR = (
    "a diagnosis, or any decision taken without a person",
    "telling somebody their risk of falling (NICE NG249, 1.1.1): falls go by case-finding rules",
    "predicting fire deaths: fire needs go by rules",
    "a landlord's or an insurer's decision",
    "claims of savings from figures before and after",
)


def model_card(facts: Mapping[str, Any], models: Mapping[str, FittedRisk]) -> str:
    """The card as Markdown; every number comes from the training's own evaluation."""
    parts = [
        "# Model card",
        _warning(facts),
        "## What it is for\n\nTo put older people in an order in which local agencies offer help, as a proposal to "
        "people who decide.",
        "## What it must not be used for\n\n" + "\n".join(f"- {use}" for use in NOT_FOR),
        _training(facts),
        *(_outcome(outcome, facts["evaluation"][outcome], models[outcome]) for outcome in models),
        f"## Verdict\n\n{'Usable' if facts['verdict']['usable'] else 'Not usable'}: {facts['verdict']['reason']}.",
        "## To be filled in by a person\n\n- Owner and clinical-safety officer: ____\n"
        "- Local review of the code lists: ____\n- Date of the next review: ____",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _warning(facts: Mapping[str, Any]) -> str:
    if not facts["made_up"]:
        return ""
    return (
        "**Trained on made-up people.** It shows the software and says nothing about anybody. The shipped "
        "demonstration bundle was made, byte for byte, by\n\n```\nageingwell synth --people 40000 --seed 7 --out "
        "county\nageingwell train --data county --out models/demo\n```"
    )


def _training(facts: Mapping[str, Any]) -> str:
    training = facts["training"]
    rows = [
        f"| {part} | {', '.join(training['cut_offs'][part])} | {training['n_people'][part]:,} |"
        for part in training["cut_offs"]
    ]
    return (
        "## How it was made\n\nA penalised logistic model with a curve for each feature, boosted trees on top of it, "
        "both monotone where a feature says so, calibrated by a straight line on the log-odds. "
        f"Outcomes are looked for in the {training['horizon_days']} days after each cut-off. No household stands in "
        "two parts.\n\n| part | cut-offs | people |\n|---|---|---|\n" + "\n".join(rows)
    )


def _outcome(outcome: str, found: Mapping[str, Any], model: FittedRisk) -> str:
    figures = [("all", found["auroc"]), *found["auroc_by_age"].items()]
    figures += [(f"rival: {name}", rival) for name, rival in found["rivals"].items()]
    rows = [
        f"| {name} | {_figure(told['value'])} | {_figure(told['low'])} to {_figure(told['high'])} | {told['n']:,} | "
        f"{told['n_events']:,} |"
        for name, told in figures
    ]
    line = found["calibration"]
    return (
        f"## {outcome}\n\nOn the latest year, among {found['n']:,} people the model never saw, {found['n_events']:,} "
        f"had the event; the mean risk given was {100 * found['mean_risk']:.1f} in 100. Calibration slope "
        f"{line['slope']:.2f} (1 is right), intercept {line['intercept']:.2f} (0 is right).\n\n"
        "| who | AUROC | 95% interval | people | events |\n|---|---|---|---|---|\n" + "\n".join(rows)
    )


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
