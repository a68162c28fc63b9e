"""A bundle is registered from a folder or an uploaded archive, if its hash, its signature and its check say so."""

import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ml.bundle import default_bundle, read_bundle
from ml.bundle_signature import create_key, sign_bundle
from screening.access import AccessDenied
from screening.models import AuditEvent, RegisteredBundle, User
from screening.services import inference, registered_bundles
from screening.services.registered_bundles import BundleRefused, register_bundle, upload_bundle
from tests.screening.factories import UserFactory
from tests.screening.registered_bundles import bundle_folder
from tests.screening.views.pages import text_of, url

VERSION = "other-1.0.0+11111111"


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(is_superuser=True)


@pytest.fixture
def models_dir(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    settings.MODELS_DIR = str(folder)
    return folder


@pytest.fixture
def source(tmp_path: Path, released_bundle: None) -> Path:
    """A bundle at its makers."""
    (tmp_path / "makers").mkdir()
    return bundle_folder(tmp_path / "makers")


def zipped(folder: Path, compression: int = zipfile.ZIP_STORED) -> SimpleUploadedFile:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{folder.name}/{file.name}")
    return SimpleUploadedFile("bundle.zip", data.getvalue(), "application/zip")


def upload(folder: Path, by: User, **changes: Any) -> RegisteredBundle:
    values: dict[str, Any] = {"file": zipped(folder), "sha256": inference.description_hash(folder), "reason": "1.0"}
    return upload_bundle(**values | changes, by=by)


def test_a_bundle_is_registered_by_its_hash_and_by_superusers_alone(
    chief: User, manager: User, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MODELS_DIR = str(tmp_path)
    folder = tmp_path / "other-1.0.0"
    shutil.copytree(default_bundle(), folder, ignore=shutil.ignore_patterns("*.md", "*.safetensors"))
    sha256 = inference.description_hash(folder)
    version = [VERSION]
    monkeypatch.setattr("screening.services.registered_bundles.check_bundle", lambda _folder: version[0])
    values: dict[str, Any] = {"name": folder.name, "reason": "release 1.0"}
    with pytest.raises(AccessDenied):
        register_bundle(**values, sha256=sha256, by=manager)
    for wrong, problem in (("1" * 64, "altered"), ("no hash", "64 digits")):
        with pytest.raises(BundleRefused, match=problem):
            register_bundle(**values, sha256=wrong, by=chief)
    with pytest.raises(BundleRefused, match="no such folder"):
        register_bundle(name="../etc", reason="x", sha256=sha256, by=chief)
    version[0] = "foreign-2.0.0+11111111"
    with pytest.raises(BundleRefused, match="must have the name of its version"):
        register_bundle(**values, sha256=sha256, by=chief)
    version[0] = read_bundle().model_version
    with pytest.raises(BundleRefused, match="installed already"):
        register_bundle(**values, sha256=sha256, by=chief)
    version[0] = VERSION
    row = register_bundle(**values, sha256=sha256.upper(), by=chief)
    assert (row.model_version, row.description_sha256) == (VERSION, sha256)
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.BUNDLE_REGISTERED).count() == 1


def test_an_archive_is_uploaded_checked_and_registered(
    models_dir: Path, source: Path, chief: User, manager: User
) -> None:
    with pytest.raises(AccessDenied):
        upload(source, manager)
    row = upload(source, chief)
    assert (row.folder_name, row.model_version) == ("other-1.0.0", read_bundle(source).model_version)
    assert [folder.name for folder in models_dir.iterdir()] == ["other-1.0.0"]
    assert read_bundle(models_dir / "other-1.0.0", verify=True).model_version == row.model_version
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.BUNDLE_REGISTERED)
    assert (event.data["is_uploaded"], event.data["is_signed"], event.actor) == (True, False, chief)
    with pytest.raises(BundleRefused, match=rf"registered already, as {row.model_version[:11]}"):
        upload(source, chief)


def alter_weights(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")


def set_preprocessing(folder: Path) -> None:
    description = folder / "bundle.json"
    description.write_text(description.read_text().replace('"preprocessing_version": ', '"preprocessing_version": 9'))


def set_name(folder: Path) -> None:
    description = folder / "bundle.json"
    description.write_text(description.read_text().replace('"name": "other"', '"name": "../other"'))


def set_long_name(folder: Path) -> None:
    description = folder / "bundle.json"
    description.write_text(description.read_text().replace('"name": "other"', f'"name": "{"o" * 90}"'))


def remove_graph(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def add_file(folder: Path) -> None:
    (folder / "run.sh").write_text("exit")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (alter_weights, "SHA-256 is not the one in bundle.json"),
        (set_preprocessing, "was trained with preprocessing version"),
        (set_name, "letters, digits"),
        (set_long_name, "at most 80"),
        (remove_graph, "model.onnx"),
        (add_file, "a file that no bundle has"),
    ],
)
def test_another_archive_is_refused_and_leaves_nothing(
    models_dir: Path, source: Path, chief: User, damage: Any, problem: str
) -> None:
    damage(source)
    with pytest.raises(BundleRefused, match=problem):
        upload(source, chief)
    assert not list(models_dir.iterdir())
    assert not RegisteredBundle.objects.exists()


def test_the_size_the_hash_the_reason_and_a_free_place_are_checked(
    models_dir: Path, source: Path, chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(registered_bundles, "MAX_ARCHIVE_BYTES", len(zipped(source)) - 1)
        with pytest.raises(BundleRefused, match="by hand"):
            upload(source, chief)
    for changes, problem in (
        ({"sha256": "1" * 64}, "is another one"),
        ({"sha256": "no hash"}, "64 digits"),
        ({"reason": " "}, "Enter the reason"),
        ({"file": SimpleUploadedFile("bundle.zip", b"no archive")}, "damaged"),
    ):
        with pytest.raises(BundleRefused, match=problem):
            upload(source, chief, **changes)
    (models_dir / "other-1.0.0").mkdir()
    with pytest.raises(BundleRefused, match="has a folder other-1"):
        upload(source, chief)
    assert [folder.name for folder in models_dir.iterdir()] == ["other-1.0.0"]


def test_a_folder_that_cannot_be_written_is_named(source: Path, chief: User, settings: Any, tmp_path: Path) -> None:
    settings.MODELS_DIR = str(tmp_path / "missing")
    with pytest.raises(BundleRefused, match="may not write into MODELS_DIR"):
        upload(source, chief)
    settings.MODELS_DIR = ""
    with pytest.raises(BundleRefused, match="is not set"):
        upload(source, chief)


def test_with_trusted_keys_a_bundle_must_be_signed(
    models_dir: Path, source: Path, chief: User, settings: Any, tmp_path: Path
) -> None:
    key, other = create_key(tmp_path / "key.pem"), create_key(tmp_path / "other.pem")
    settings.BUNDLE_PUBLIC_KEYS = (key,)
    with pytest.raises(BundleRefused, match="not signed"):
        upload(source, chief)
    sign_bundle(source, tmp_path / "other.pem")
    with pytest.raises(BundleRefused, match="None of the trusted keys"):
        upload(source, chief)
    sign_bundle(source, tmp_path / "key.pem")
    shutil.copytree(source, models_dir / source.name, ignore=shutil.ignore_patterns("*.sig"))
    with pytest.raises(BundleRefused, match="not signed"):
        register_bundle(name=source.name, sha256=inference.description_hash(source), reason="placed", by=chief)
    shutil.rmtree(models_dir / source.name)
    settings.BUNDLE_PUBLIC_KEYS = (other, key)
    upload(source, chief)
    assert AuditEvent.objects.get(verb=AuditEvent.Verb.BUNDLE_REGISTERED).data["is_signed"] is True


def test_the_page_uploads_and_states_whether_signatures_are_checked(
    models_dir: Path, source: Path, chief: User, client: Client, settings: Any, tmp_path: Path
) -> None:
    client.force_login(chief)
    assert "No trusted key is set" in text_of(client.get(url("model-upload")))
    settings.BUNDLE_PUBLIC_KEYS = (create_key(tmp_path / "key.pem"),)
    assert "It must be signed with the trusted key" in text_of(client.get(url("model-upload")))
    values: dict[str, Any] = {"sha256": inference.description_hash(source), "reason": "1.0"}
    refused = client.post(url("model-upload"), values | {"file": zipped(source)})
    assert (refused.status_code, "not signed" in text_of(refused)) == (422, True)
    sign_bundle(source, tmp_path / "key.pem")
    compressed = zipped(source, zipfile.ZIP_DEFLATED)
    assert client.post(url("model-upload"), values | {"file": compressed}).status_code == 302
    assert "other 1.0.0" in text_of(client.get(url("models")))
    assert client.post(url("model-upload"), {}).status_code == 422
