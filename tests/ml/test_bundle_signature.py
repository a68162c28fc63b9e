"""Signatures of bundles: by a trusted key, over bundle.json as it is."""

import shutil
from pathlib import Path

import pytest

from ml.bundle import default_bundle
from ml.bundle_signature import SIGNATURE_FILE, create_key, read_public_key, require_signature, sign_bundle
from ml.cli.main import main
from ml.errors import BundleError, InputError


@pytest.fixture
def folder(tmp_path: Path, released_bundle: None) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "copy"))


def test_a_signature_by_a_trusted_key_is_accepted(folder: Path, tmp_path: Path) -> None:
    key, other = create_key(tmp_path / "key.pem"), create_key(tmp_path / "other.pem")
    assert sign_bundle(folder, tmp_path / "key.pem") == key
    require_signature(folder, (other, key))
    with pytest.raises(BundleError, match="None of the trusted keys"):
        require_signature(folder, (other,))


def test_an_unsigned_or_altered_bundle_is_refused(folder: Path, tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    with pytest.raises(BundleError, match="not signed"):
        require_signature(folder, (key,))
    sign_bundle(folder, tmp_path / "key.pem")
    with (folder / "bundle.json").open("a") as file:
        file.write(" ")
    with pytest.raises(BundleError, match="altered afterwards"):
        require_signature(folder, (key,))
    (folder / SIGNATURE_FILE).write_text("no Base64!")
    with pytest.raises(BundleError, match="is no signature"):
        require_signature(folder, (key,))


def test_the_commands_create_a_key_and_sign(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key.pem"
    assert main(["key", str(key)]) == 0
    public_key = capsys.readouterr().out.strip()
    assert key.stat().st_mode & 0o777 == 0o600
    assert main(["key", str(key)]) == 2, "a key is never replaced"
    assert main(["sign", str(folder), "--key", str(key)]) == 0
    require_signature(folder, (public_key,))
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert main(["sign", str(folder), "--key", str(key)]) == 2, "altered weights are not signed"


@pytest.mark.parametrize("text", ["", "no key", "AAAA", "=" * 44])
def test_a_text_that_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Base64 of 32 bytes"):
        read_public_key(text)
    (tmp_path / "key.pem").write_text(text)
    with pytest.raises(InputError, match="no private key"):
        sign_bundle(tmp_path, tmp_path / "key.pem")
