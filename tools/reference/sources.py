"""sources.md: the source profiles that are shipped, and what to ask each supplier for."""

from collections.abc import Iterable

from ageingwell.profiles.profile import LOOKUPS, Profile, shipped_profiles
from ageingwell.profiles.transform import tables_of
from ageingwell.profiles.written import SourceFile
from tools.reference.markdown import code, table

CERTAINTY = {
    "official": "an official specification",
    "code": "public code that reads the layout",
    "typical": "usual practice: no layout is published",
}
LOOKUP_WORDS = {
    "addresses": "the look-up of people's homes",
    "areas": "the look-up of areas",
    "coverage": "the coverage check of the register",
}


def sources() -> str:
    """Every shipped source profile: an overview, then the files of each."""
    profiles = shipped_profiles().values()
    overview = table(("profile", "agency", "what it reads", "tables it feeds"), map(_overview, profiles))
    return "\n\n".join([overview, *map(_section, profiles)])


def _overview(profile: Profile) -> tuple[str, ...]:
    return f"[`{profile.name}`](#{profile.name})", profile.agency.replace("_", " "), profile.title, _fed(profile.sql)


def _fed(tables: Iterable[str]) -> str:
    return ", ".join(
        LOOKUP_WORDS[name] if name in LOOKUPS else f"[`{name}`](data-dictionary.md#{name})" for name in tables
    )


def _section(profile: Profile) -> str:
    release = f", release {profile.release}" if profile.release and profile.release not in profile.title else ""
    facts = [
        f"- **Ask:** {profile.ask_for}.",
        f"- **Documented:** {'; '.join(profile.documented)}.",
        f"- **How sure the layout is:** {CERTAINTY[profile.certainty]}.",
    ]
    if profile.ids == "own":
        facts.append("- **Ids:** the extract's own, not NHS numbers and UPRNs.")
    if profile.ids == "either":
        facts.append("- **Ids:** NHS numbers where the extract has them, else its own.")
    if profile.not_held:
        held = "; ".join(f"{code(columns)} of `{name}`" for name, columns in profile.not_held.items())
        facts.append(f"- **Never in such an extract:** {held}.")
    files = table(("file", "needed", "every file has", "used where sent", "into"), _files(profile))
    unused = [file.title.partition(":")[0] for file in profile.files.values() if not file.used]
    left = f"\n\nKnown, and nothing of them is needed: {', '.join(unused)}." if unused else ""
    return f"## {profile.name}\n\n{profile.title}{release}.\n\n" + "\n".join(facts) + f"\n\n{files}{left}"


def _files(profile: Profile) -> Iterable[tuple[str, ...]]:
    for kind, file in profile.files.items():
        if file.used:
            needed = "yes" if file.required else "no"
            yield file.title, needed, _every(file), code(file.optional), _fed(tables_of(profile, kind))


def _every(file: SourceFile) -> str:
    """What tells the file: its headings, or the form of its lines."""
    if not file.reader.has_header:
        return "no heading" + (", and a telling name" if file.name_must_match else "")
    said = [code(file.columns)] if file.columns else []
    if file.patterns:
        said.append("a column for each of several headings of one pattern")
    if file.name_must_match:
        said.append("a telling file name")
    return "; ".join(said)
