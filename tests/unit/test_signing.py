"""Whose bundles a site accepts: one that is unsigned, or signed by others, is refused where signers are named."""

import shutil
import sys
from pathlib import Path

import pytest

from ageingwell.bundle import find_bundle, load_bundle
from ageingwell.checksums import SIGNATURE, SUMS
from ageingwell.config.score import ModelSettings
from ageingwell.errors import BundleError, KeyFileError, MissingExtraError
from ageingwell.jobs.sealing import seal

OTHERS = "0" * 64


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the demonstration bundle, to change."""
    return Path(shutil.copytree(find_bundle("demo"), tmp_path / "demo"))


def key_file(path: Path) -> Path:
    """A new private key, as OpenSSL writes it."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    forms = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*forms))
    path.chmod(0o600)
    return path


def test_an_unsigned_bundle_is_refused_where_signers_are_named(demo: Path) -> None:
    with pytest.raises(BundleError, match="demo: has no signature"):
        load_bundle(demo, trust=ModelSettings(signers=(OTHERS,)))
    load_bundle(demo, trust=ModelSettings())


def test_without_the_library_nothing_is_taken_for_signed(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'ageingwell\[signing\]'"):
        seal(demo, sign=demo / "signer.pem")


@pytest.mark.parametrize("key", ["x", "", "A" * 64, "0" * 63])
def test_what_is_no_public_key_is_a_mistake_in_the_settings(key: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        ModelSettings(signers=(key,))


def test_a_damaged_signature_is_refused_also_where_nobody_asks_for_one(demo: Path) -> None:
    for content in (b"", b"ed25519", b"ed25519 " + b"0" * 64 + b"\n" + b"0" * 128 + b"\n" + b"0" * 64 + b"\n"):
        (demo / SIGNATURE).write_bytes(content)
        with pytest.raises(BundleError, match=r"SHA256SUMS\.sig was changed"):
            load_bundle(demo)


def test_a_signed_bundle_is_accepted_from_its_signer_alone(demo: Path, tmp_path: Path) -> None:
    ours, theirs = seal(demo, sign=key_file(tmp_path / "signer.pem")).signer, None
    load_bundle(demo, trust=ModelSettings(signers=(OTHERS, ours)))
    with pytest.raises(BundleError, match="signed by someone who is not among `signers`"):
        load_bundle(demo, trust=ModelSettings(signers=(OTHERS,)))

    # A signature of other sums, and one that says it is somebody else's.
    signature = (demo / SIGNATURE).read_bytes()
    (demo / "card.md").write_text("another card")
    theirs = seal(demo, sign=key_file(tmp_path / "other.pem")).signer
    for content, why in ((signature, "is not one of these files"), (None, "not among `signers`")):
        (demo / SIGNATURE).write_bytes(content or (demo / SIGNATURE).read_bytes())
        with pytest.raises(BundleError, match=why):
            load_bundle(demo, trust=ModelSettings(signers=(ours if content else OTHERS,)))
    assert theirs != ours


def test_a_signature_goes_when_a_bundle_is_sealed_by_anyone_else(demo: Path, tmp_path: Path) -> None:
    seal(demo, sign=key_file(tmp_path / "signer.pem"))
    (demo / "card.md").write_text("another card")
    seal(demo)

    assert not (demo / SIGNATURE).exists()


def test_every_flipped_bit_of_a_signed_bundles_signature_and_sums_is_refused(demo: Path, tmp_path: Path) -> None:
    trust = ModelSettings(signers=(seal(demo, sign=key_file(tmp_path / "signer.pem")).signer,))
    n = bad = 0
    for name in (SIGNATURE, SUMS):
        whole = (demo / name).read_bytes()
        for at in range(0, 8 * len(whole), 13):
            content = bytearray(whole)
            content[at // 8] ^= 1 << at % 8
            (demo / name).write_bytes(content)
            n += 1
            for asked in (trust, None):
                try:
                    load_bundle(demo, trust=asked)
                    bad += 1
                except BundleError:
                    continue
        (demo / name).write_bytes(whole)
    assert n > 100
    assert bad == 0


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_text("-----BEGIN PRIVATE KEY-----\n"), "holds no private Ed25519 key"),
        (lambda path: path.chmod(0o644), "can be read or changed by others"),
        (lambda path: (path.rename(path.with_name("k")), path.symlink_to(path.with_name("k"))), "is a symbolic link"),
    ],
)
def test_a_key_that_is_none_or_not_private_signs_nothing(demo: Path, tmp_path: Path, damage, told: str) -> None:
    path = key_file(tmp_path / "signer.pem")
    damage(path)

    with pytest.raises(KeyFileError, match=told):
        seal(demo, sign=path)
    assert not (demo / SIGNATURE).exists()
