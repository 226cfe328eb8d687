"""`ageingwell key`: a key without openssl, and fingerprints to compare."""

import os
import stat

import pytest
from click.testing import CliRunner

from ageingwell.cli import cli
from ageingwell.pseudonyms import Key


def run(*words: object):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_new_key_is_32_random_bytes_that_only_its_owner_can_read(tmp_path):
    made = run("key", "new", tmp_path / "agency.key")

    assert made.exit_code == 0
    assert stat.S_IMODE((tmp_path / "agency.key").stat().st_mode) == 0o600
    assert len(bytes.fromhex((tmp_path / "agency.key").read_text().strip())) == 32
    assert made.stdout.splitlines()[:2] == [
        f"key: {tmp_path / 'agency.key'}",
        f"key fingerprint: {Key.read(tmp_path / 'agency.key').fingerprint}",
    ]


def test_two_keys_differ_and_neither_is_printed(tmp_path):
    told = [run("key", "new", tmp_path / name).stdout for name in ("one", "other")]
    secrets = [(tmp_path / name).read_text().strip() for name in ("one", "other")]

    assert secrets[0] != secrets[1]
    assert not any(secret in text for secret in secrets for text in told)


def test_a_key_that_is_there_is_never_written_over(tmp_path):
    run("key", "new", tmp_path / "agency.key")
    before = (tmp_path / "agency.key").read_text()

    again = run("key", "new", tmp_path / "agency.key")

    assert again.exit_code == 7
    assert "is there already" in again.stderr
    assert (tmp_path / "agency.key").read_text() == before


def test_the_fingerprint_is_told_and_nothing_else(tmp_path):
    key = Key.generate(tmp_path / "agency.key")

    assert run("key", "fingerprint", tmp_path / "agency.key").stdout == f"{key.fingerprint}\n"


def test_a_key_that_others_can_read_is_refused(tmp_path):
    Key.generate(tmp_path / "agency.key")
    (tmp_path / "agency.key").chmod(0o644)

    assert run("key", "fingerprint", tmp_path / "agency.key").exit_code == 7


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert run("key", "new", tmp_path / "none" / "agency.key").exit_code == 7


def test_a_missing_key_says_how_to_make_one(tmp_path):
    told = run("key", "fingerprint", tmp_path / "agency.key")

    assert told.exit_code == 7
    assert "ageingwell key new FILE" in told.stderr


@pytest.mark.parametrize("command", ["new", "fingerprint"])
def test_each_command_has_its_help(command):
    assert "FILE" in run("key", command, "--help").stdout


def test_on_windows_the_rights_are_explained(tmp_path, monkeypatch):
    from ageingwell.cli import keys

    monkeypatch.setattr(keys, "_is_windows", lambda: True)

    told = run("key", "new", tmp_path / "agency.key").stdout

    assert "icacls" in told
    assert str(tmp_path / "agency.key") in told
    assert os.name != "nt" or "%USERNAME%" in told
