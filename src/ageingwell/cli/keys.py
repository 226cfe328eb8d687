"""The commands of keys: make one, and tell its fingerprint."""

import os
from pathlib import Path

import click

from ageingwell.cli.places import KEY_FILE, OUT_FILE
from ageingwell.cli.root import Mending, cli
from ageingwell.register import RECIPIENTS

_WINDOWS = (
    "Windows gives it the rights of its folder. Let your account alone read it:\n"
    '  icacls "{path}" /inheritance:r /grant:r "%USERNAME%:F"'
)


@cli.group(cls=Mending)
def key() -> None:
    """Keys of the pseudonyms and of the lists: make one, and compare fingerprints."""


@key.command()
@click.argument("key_file", metavar="FILE", type=KEY_FILE)
def new(key_file: Path) -> None:
    """Make a new random key in FILE, which only you can read. It never overwrites a file."""
    from ageingwell.pseudonyms import Key

    made = Key.generate(key_file)
    click.echo(f"key: {key_file}")
    click.echo(f"key fingerprint: {made.fingerprint}")
    click.echo(
        "Anyone who has this file can look up everyone in the records. Pass it on by hand or through a secret store, "
        "never by e-mail or with the records. Keep one sealed copy: nobody can get a lost key back."
    )
    if _is_windows():
        click.echo(_WINDOWS.format(path=key_file))


def _is_windows() -> bool:
    return os.name == "nt"


@key.command()
@click.argument("key_file", metavar="FILE", type=KEY_FILE)
@click.option(
    "--recipient", required=True, type=click.Choice(RECIPIENTS), help="Whose key to make: it opens its lists alone."
)
@click.option("--out", required=True, type=OUT_FILE, help="The new file, to give to that recipient.")
def derive(key_file: Path, recipient: str, out: Path) -> None:
    """Make one recipient's own key from the key of all lists in FILE. The key of all lists stays with the group."""
    from ageingwell.pseudonyms import Key

    made = Key.read(key_file).write_for_recipient(out, recipient)
    click.echo(f"key of {recipient}: {out}")
    click.echo(f"key fingerprint: {made.fingerprint}")
    click.echo(
        f"It finds the people on the lists of {recipient} and on no other. Pass it on by hand or through a secret "
        "store, never by e-mail or with a list."
    )
    if _is_windows():
        click.echo(_WINDOWS.format(path=out))


@key.command()
@click.argument("key_file", metavar="FILE", type=KEY_FILE)
def fingerprint(key_file: Path) -> None:
    """Print the fingerprint of the key in FILE: twelve letters that differ from key to key."""
    from ageingwell.pseudonyms import Key

    click.echo(Key.read(key_file).fingerprint)
