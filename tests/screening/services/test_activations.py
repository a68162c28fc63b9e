"""A registered bundle grades at a site after the gate; the way back is open, and nothing grades in its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from ml.bundle_signature import create_key, sign_bundle
from screening.access import AccessDenied
from screening.models import AuditEvent, BundleActivation, FundusImage, Grading, RegisteredBundle, Site, User
from screening.policy import paired_models
from screening.selectors.activations import newest_activation
from screening.services import inference
from screening.services.activations import ActivationRefused, activate_bundle, return_to_release
from screening.services.active_bundles import grader_in_use, version_in_use
from screening.services.gradings import queue_grading
from tests.builders import FAKE_VERSION, FakeBundle, FakeGrader, make_prediction
from tests.screening.factories import (
    FundusImageFactory,
    SiteFactory,
    UserFactory,
)
from tests.screening.registered_bundles import bundle_folder, registered, store_paired_eyes

Status = Grading.Status


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(is_superuser=True)


@pytest.fixture
def folder(settings: Any, tmp_path: Path, released_bundle: None) -> Path:
    settings.MODELS_DIR = str(tmp_path)
    return bundle_folder(tmp_path)


@pytest.fixture
def bundle(folder: Path, chief: User, monkeypatch: pytest.MonkeyPatch) -> RegisteredBundle:
    """A registered bundle whose check in a child process is replaced."""
    row = registered(folder, chief)
    monkeypatch.setattr("screening.services.activations.check_bundle", lambda _folder: row.model_version)
    return row


@pytest.fixture
def small_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate of ten referable eyes."""
    monkeypatch.setattr(paired_models, "MIN_REFERABLE", 10)


@pytest.fixture
def active(site: Site, bundle: RegisteredBundle, chief: User) -> BundleActivation:
    return BundleActivation.objects.create(
        site=site, model=site.served_model.value, number=1, bundle=bundle, reason="passed", created_by=chief
    )


@pytest.fixture
def candidate(bundle: RegisteredBundle, monkeypatch: pytest.MonkeyPatch) -> FakeGrader:
    """The grader of the registered bundle, which grades 3."""
    grader = FakeGrader(
        make_prediction(3, model_version=bundle.model_version), bundle=FakeBundle(model_version=bundle.model_version)
    )
    monkeypatch.setattr(inference, "registered_grader", lambda _folder, _sha256: grader)
    return grader


def store_good_eyes(site: Site, bundle: RegisteredBundle, n: int = 12) -> None:
    for grade in (0, 1, 3):
        store_paired_eyes(site, bundle, signed=grade, n=n, served=grade, candidate=grade)


def queued_image(site: Site) -> FundusImage:
    image = FundusImageFactory(exam__patient__site=site)
    queue_grading(image=image, by=None)
    return image


def test_the_gate_needs_a_hundred_referable_eyes_and_no_loss(site: Site, bundle: RegisteredBundle, chief: User) -> None:
    """With the limits of the project, and the numbers stored."""
    values: dict[str, Any] = {"site": site, "bundle": bundle, "reason": "better", "base_id": None, "by": chief}
    store_paired_eyes(site, bundle, signed=0, n=30, served=0, candidate=0)
    store_paired_eyes(site, bundle, signed=3, n=99, served=3, candidate=3)
    with pytest.raises(ActivationRefused) as refused:
        activate_bundle(**values)
    assert refused.value.problems == ("99 signed referable eyes that both models saw; at least 100 are needed.",)
    store_paired_eyes(site, bundle, signed=3, n=1, served=3, candidate=3)
    row = activate_bundle(**values)
    row.refresh_from_db()
    assert (row.number, row.bundle, row.model) == (1, bundle, "accurate")
    assert row.report["replaced"] == FAKE_VERSION
    assert row.report["served_sensitivity"] == {"n_positive": 100, "n": 100}
    assert row.report["sensitivity"] == {"value": 0.0, "interval": [0.0, 0.0]}
    assert (row.report["min_referable"], row.report["margin"]) == (100, 0.05)
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.ACTIVATION_CHANGED, site=site)
    assert event.data["model_version"] == version_in_use(site) == bundle.model_version


def test_a_refusal_names_each_part_of_the_gate_that_fails(
    site: Site, bundle: RegisteredBundle, chief: User, small_gate: None
) -> None:
    store_paired_eyes(site, bundle, signed=3, n=20, served=3, candidate=3, n_missed=8)
    store_paired_eyes(site, bundle, signed=0, n=20, served=0, candidate=2)
    with pytest.raises(ActivationRefused) as refused:
        activate_bundle(site=site, bundle=bundle, reason="worse", base_id=None, by=chief)
    texts = " ".join(refused.value.problems)
    assert len(refused.value.problems) == 3
    assert all(metric in texts for metric in ("sensitivity", "specificity", "kappa"))
    assert not BundleActivation.objects.exists()


def test_superusers_alone_activate_with_a_reason(
    site: Site, bundle: RegisteredBundle, chief: User, manager: User, small_gate: None
) -> None:
    store_good_eyes(site, bundle)
    values: dict[str, Any] = {"site": site, "bundle": bundle, "reason": "better", "base_id": None, "by": chief}
    for change in (activate_bundle, return_to_release):
        given = values if change is activate_bundle else {k: v for k, v in values.items() if k != "bundle"}
        with pytest.raises(AccessDenied):
            change(**given | {"by": manager})
        for reason, problem in ((" ", "Enter the reason"), ("x" * 501, "500")):
            with pytest.raises(ActivationRefused, match=problem):
                change(**given | {"reason": reason})
    with pytest.raises(ActivationRefused, match="released model is in use"):
        return_to_release(site=site, reason="back", base_id=None, by=chief)
    row = activate_bundle(**values)
    with pytest.raises(ActivationRefused, match="in use at this site already"):
        activate_bundle(**values | {"base_id": row.pk})


def test_the_later_of_two_changes_sees_the_conflict(
    site: Site, bundle: RegisteredBundle, chief: User, small_gate: None
) -> None:
    store_good_eyes(site, bundle)
    first = activate_bundle(site=site, bundle=bundle, reason="better", base_id=None, by=chief)
    with pytest.raises(ActivationRefused, match="Another version was stored meanwhile"):
        return_to_release(site=site, reason="back", base_id=None, by=chief)
    assert newest_activation(site, site.served_model) == first
    back = return_to_release(site=site, reason="back", base_id=first.pk, by=chief)
    assert (back.number, back.bundle, version_in_use(site)) == (2, None, FAKE_VERSION)
    with pytest.raises(ActivationRefused, match="meanwhile"):
        activate_bundle(site=site, bundle=bundle, reason="again", base_id=first.pk, by=chief)


def test_of_two_changes_at_the_same_moment_one_is_refused(
    site: Site, active: BundleActivation, chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the newest version before either has stored its own, as on SQLite without locks of rows."""
    stale = BundleActivation(pk=active.pk, number=0, bundle=active.bundle)
    monkeypatch.setattr("screening.services.activations.newest_activation", lambda _site, _model: stale)
    with pytest.raises(ActivationRefused, match="Another version was stored meanwhile"):
        return_to_release(site=site, reason="back", base_id=active.pk, by=chief)
    assert BundleActivation.objects.count() == 1


def test_a_process_keeps_the_bundles_of_many_sites_within_its_memory(
    settings: Any, tmp_path: Path, chief: User, released_bundle: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MODELS_DIR, settings.MODEL_MEMORY_MB = str(tmp_path), 120  # two of 51 MB
    monkeypatch.setattr(inference, "_graders", inference.LoadedGraders())
    loaded = []
    for i in range(4):
        row = registered(bundle_folder(tmp_path, name=f"other{i}"), chief)
        site = SiteFactory()
        BundleActivation.objects.create(
            site=site, model="accurate", number=1, bundle=row, reason="passed", created_by=chief
        )
        grader = grader_in_use(site, site.served_model)
        assert grader.bundle.model_version == row.model_version
        loaded.append([folder.name for folder in inference._graders.folders])
        memory = sum(one.bundle.memory_bytes for one in inference._graders._graders.values())
        assert memory <= settings.MODEL_MEMORY_MB * 1_000_000
    assert loaded[-1] == ["other2-1.0.0", "other3-1.0.0"]


def test_versions_cannot_be_changed_or_deleted(active: BundleActivation) -> None:
    for change in (
        lambda: BundleActivation.objects.update(reason="another"),
        lambda: BundleActivation.objects.filter(pk=active.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def alter_description(folder: Path) -> None:
    with (folder / "bundle.json").open("a") as file:
        file.write(" ")


def alter_weights(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")


def remove_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()


def remove_all(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")


def change_preprocessing(folder: Path) -> None:
    content = json.loads((folder / "bundle.json").read_text())
    content["input"]["preprocessing_version"] += 1
    (folder / "bundle.json").write_text(json.dumps(content))
    RegisteredBundle.objects.update(description_sha256=inference.description_hash(folder))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (alter_description, "was altered after its registration"),
        (alter_weights, "SHA-256 is not the one in bundle.json"),
        (remove_weights, "is missing"),
        (remove_all, "cannot be read"),
        (change_preprocessing, "was trained with preprocessing version"),
    ],
)
def test_a_bundle_that_is_not_the_registered_one_is_refused(
    site: Site, folder: Path, chief: User, small_gate: None, damage: Any, problem: str
) -> None:
    bundle = registered(folder, chief)
    store_good_eyes(site, bundle)
    damage(folder)
    bundle.refresh_from_db()
    with pytest.raises(ActivationRefused, match=problem):
        activate_bundle(site=site, bundle=bundle, reason="better", base_id=None, by=chief)


def test_a_bundle_that_was_registered_before_keys_were_set_must_be_signed(
    site: Site, bundle: RegisteredBundle, folder: Path, chief: User, small_gate: None, settings: Any, tmp_path: Path
) -> None:
    store_good_eyes(site, bundle)
    settings.BUNDLE_PUBLIC_KEYS = (create_key(tmp_path / "key.pem"),)
    values: dict[str, Any] = {"site": site, "bundle": bundle, "reason": "better", "base_id": None, "by": chief}
    with pytest.raises(ActivationRefused, match="not signed"):
        activate_bundle(**values)
    sign_bundle(folder, tmp_path / "key.pem")
    assert activate_bundle(**values).bundle == bundle


def test_a_foreign_bundle_in_the_folder_is_refused(
    site: Site, bundle: RegisteredBundle, chief: User, small_gate: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_good_eyes(site, bundle)
    monkeypatch.setattr("screening.services.activations.check_bundle", lambda _folder: "foreign-1.0.0+00000000")
    with pytest.raises(ActivationRefused, match=r"has the model foreign-1\.0\.0"):
        activate_bundle(site=site, bundle=bundle, reason="better", base_id=None, by=chief)
