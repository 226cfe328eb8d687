"""`signoff`: the papers of one run, written as a pack; and signing a pack."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ageingwell.audit.uses import Asked, logged
from ageingwell.checksums import SUMS, sums_of
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError, SignoffError
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.keeping.places import audit_of
from ageingwell.papers.comparing import Difference, differences, differences_draft
from ageingwell.papers.drafting import ANSWER, Draft, drafts_of
from ageingwell.papers.drawing import as_html, as_markdown
from ageingwell.papers.facts import blanks_of, pack_facts
from ageingwell.papers.fields import fields_of
from ageingwell.papers.guide import guide_of
from ageingwell.papers.run import Run, read_run
from ageingwell.papers.signing_off import PACK, Signature, SignedPack, all_words, read_signed, sign_pack
from ageingwell.report.cells import harmless_all
from ageingwell.room import explained, staged_folder, stop_on_link
from ageingwell.shown import Screen, Shown

COMMAND: Final = "signoff"
GUIDE: Final = "README.md"


@dataclass(frozen=True, repr=False)
class Pack(Shown):
    """A pack of papers: its folder, the night it is of, the papers, what is left for people, and what changed.

    `differences` is None where there is no signed pack to compare with. `open_tests` are tests of the hazard log that
    are not known to have passed.
    """

    folder: Path
    night: str
    papers: tuple[str, ...]
    blanks: tuple[tuple[str, int], ...]
    open_tests: tuple[str, ...]
    unused: tuple[str, ...]
    differences: tuple[Difference, ...] | None = None

    def _screen(self) -> Screen:
        facts = {"folder": self.folder, "night": self.night, "papers": len(self.papers)}
        facts |= {"tests not known to have passed": len(self.open_tests), "columns used for nothing": len(self.unused)}
        return Screen("Papers to sign off", facts, ("who has to write", "blanks"), self.blanks)


def signoff(
    out: str | Path,
    *,
    pack: str | Path,
    night: GivenDay | None = None,
    against: str | Path | None = None,
    config: GivenConfig = None,
    role: str | None = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Pack:
    """Draw the papers of one run in `out` and write them as the new folder `pack`.

    The run is the current night, or the last revision of `night`. It must be as it was published, and the settings and
    the model those it was made with. `against` is a signed pack to compare with; without it the one that the settings
    name (`[signoff] signed`). The same night, log, settings and version give the same bytes.

    Raises `SignoffError` for a night that cannot be signed off, or a signed pack whose signatures do not hold;
    `PublishError` where `pack` is there already or cannot be written; `AuditError` where the log cannot be.
    """
    world, out, pack, settings = surroundings or Surroundings(), Path(out), Path(pack), config_given(config)
    day = maybe_day_of(night, name="night")
    _stop_on_role(role, settings)
    _stop_unless_new(pack)
    signed = _signed(against, settings)
    asked = Asked(COMMAND, role=role, night=day, settings=settings.digest)
    with logged(audit_of(out, settings), asked, world=world, disk=disk) as use:
        with world.stage("read"):
            run = read_run(out, night=day, config=settings)
        with world.stage("draw"):
            made, files = _drawn(run, signed, pack)
        with world.stage("write"), staged_folder(pack, disk=disk) as folder:
            for name, content in files.items():
                disk.write(folder / name, content)
        use.tell(folder=run.folder.name, counts={"papers": len(made.papers), "blanks": sum(n for _, n in made.blanks)})
    return made


def sign(
    pack: str | Path,
    *,
    out: str | Path,
    who: str,
    role: str,
    on: GivenDay | None = None,
    config: GivenConfig = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Signature:
    """Sign a pack as it lies there, with the papers as people filled them in.

    `who` is a name, which stays in the pack; the audit log of the nights in `out` has the role alone, and the SHA-256
    of what was signed. `on` is the day, today without it.

    Raises `SignoffError` where what the run made was changed, or a file was changed after an earlier signature.
    """
    world, pack, settings = surroundings or Surroundings(), Path(pack), config_given(config)
    day = maybe_day_of(on, name="on") or world.now().date()
    if not who.strip() or not who.isprintable():
        raise SignoffError("a signature needs the name of a person", "give --name")
    _stop_on_role(role, settings)
    asked = Asked(COMMAND, role=role, reason="signature", settings=settings.digest)
    with logged(audit_of(Path(out), settings), asked, world=world, disk=disk) as use:
        mine, every = sign_pack(pack, who=who.strip(), role=role, on=day, blank_mark=ANSWER, disk=disk)
        use.tell(counts={"signatures": len(every), "blanks": mine.n_blanks}, signed_sha256=mine.sums_sha256)
    return mine


def _stop_unless_new(pack: Path) -> None:
    """Before anything is read: a pack that somebody may have written in or signed is never written over."""
    stop_on_link(pack)
    with explained(f"{pack} cannot be written", place="that folder"):
        if pack.exists() and (not pack.is_dir() or any(pack.iterdir())):
            raise PublishError(f"{pack} is there already", "name a new folder")


def _stop_on_role(role: str | None, config: Config) -> None:
    known = config.score.audit.roles
    if role is not None and role not in known:
        raise SignoffError(
            "the role is not one of those in the settings ([audit] roles)",
            f"give one of {', '.join(known)}, or add the role there; never a name",
        )


def _signed(against: str | Path | None, config: Config) -> SignedPack | None:
    named = against if against is not None else config.score.signoff.signed
    return None if named is None else read_signed(Path(named))


def _drawn(run: Run, signed: SignedPack | None, pack: Path) -> tuple[Pack, dict[str, bytes]]:
    drafts = drafts_of(run)
    facts = pack_facts(run, drafts)
    found = None if signed is None else differences(signed.facts, facts)
    if signed is not None and found is not None:
        words = all_words(signed.signatures)
        drafts = [*drafts, differences_draft(found, against=signed.folder.name, signed_by=words)]
    as_of = fields_of(run)["as_of"].value
    blanks = _by_role(drafts)
    open_tests = tuple(test for test, end in facts["tests"].items() if end != "passed")
    unused = tuple(name for name, kind in facts["columns"].items() if kind == "not used")
    made = Pack(
        folder=pack,
        night=run.folder.name,
        papers=tuple(draft.name for draft in drafts),
        blanks=blanks,
        open_tests=open_tests,
        unused=unused,
        differences=None if found is None else tuple(found),
    )
    files = {f"{draft.name}.md": as_markdown(draft).encode() for draft in drafts}
    files |= {f"{draft.name}.html": as_html(draft, as_of=as_of) for draft in drafts}
    files[GUIDE] = guide_of(drafts, blanks, as_of=as_of, open_tests=len(open_tests)).encode()
    files[PACK] = as_json(facts)
    files["figures.csv"] = _csv(
        ("name", "value", "where"), [(name, one.value, one.where) for name, one in fields_of(run).items()]
    )
    heads = ("paper", "heading", "role", "what", "why")
    files["blanks.csv"] = _csv(heads, [tuple(blank[head] for head in heads) for blank in blanks_of(drafts)])
    return made, {**files, SUMS: sums_of(files)}


def _by_role(drafts: Sequence[Draft]) -> tuple[tuple[str, int], ...]:
    roles = [blank.role for draft in drafts for _, blank in draft.blanks]
    return tuple((role, roles.count(role)) for role in sorted(set(roles)))


def _csv(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A table as CSV in which no cell begins a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows(harmless_all(row) for row in rows)
    return ("\ufeff" + text.getvalue()).encode()


def as_json(told: Mapping[str, object]) -> bytes:
    """Plain data as the bytes of a JSON file."""
    return (json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n").encode()
