"""The first page of a pack: what lies in it, who has to write what, and how it is signed."""

from collections.abc import Sequence
from typing import Final

from ageingwell.papers.drafting import Draft

_SAYS: Final = (
    "Each paper is there twice: `.md` for machines and for keeping, `.html` to open in Word or LibreOffice. Fill in "
    "one of them. Where something is filled in, the line below says from which file and field. Change no figure: "
    "change the run, and draw the papers again."
)
_SIGN: Final = (
    "When everyone has written their part, sign: `ageingwell signoff --sign --pack THIS_FOLDER --out NIGHTS --role "
    "ROLE --name NAME`. Each person signs for themselves. After the first signature no file may change. Then name this "
    "folder in score.toml, under [signoff], so that later runs are compared with it."
)


def guide_of(drafts: Sequence[Draft], blanks: Sequence[tuple[str, int]], *, as_of: str, open_tests: int) -> str:
    """The page as Markdown."""
    papers = [f"- `{draft.name}`: {draft.title}. Standard: {draft.standard}." for draft in drafts]
    others = [
        "- `figures.csv`: every figure and name in the papers, with the file and field it comes from.",
        "- `blanks.csv`: everything that a person has to write, with role and reason.",
        "- `pack.json`: all of it for machines. `SHA256SUMS`: the sums of every file.",
    ]
    people = [f"- {role}: {n}" for role, n in blanks]
    tests = (
        f"{open_tests} tests of the hazard log are not known to have passed. Do not sign the safety case before that."
        if open_tests
        else "All tests that the hazard log names passed in the build of this version."
    )
    parts = [
        f"# Papers to sign off, from the night of {as_of}",
        _SAYS,
        "## Papers",
        "\n".join([*papers, *others]),
        "## How many blanks are left, and who fills them in",
        "\n".join(people) or "None.",
        "## Tests",
        tests,
        "## Sign",
        _SIGN,
    ]
    return "\n\n".join(parts) + "\n"
