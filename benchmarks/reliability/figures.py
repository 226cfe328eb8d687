"""Where a full-size run writes its figure, for `docs/evidence.md` to show beside the test's count."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "evidence" / "full"


def write_figure(goal: str, n: int, bad: int, *, seed: int | None, command: str, folder: Path = FOLDER) -> Path:
    """Write what a full-size run counted; `command` is what somebody types to see it again.

    The file is named after the goal and replaces the figure of an earlier run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{goal}.json"
    figure = {"goal": goal, "n": n, "bad": bad, "seed": seed, "command": command}
    place.write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    return place
