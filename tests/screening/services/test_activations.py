"""A registered bundle grades at a site after the gate; the way back is open, and nothing grades in its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from ml.bundle import read_bundle
from ml.bundle_signature import create_key, sign_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.access import AccessDenied
from screening.health import checks
from screening.models import AuditEvent, BundleActivation, FundusImage, Grading, RegisteredBundle, Site, User
from screening.policy import paired_models
from screening.selectors.activations import newest_activation
from screening.selectors.shadows import compare_shadow
from screening.selectors.thresholds import threshold_in_use, unused_thresholds
from screening.services import inference
from screening.services.activations import ActivationRefused, activate_bundle, return_to_release
from screening.services.active_bundles import bundle_in_use, grader_in_use, version_in_use
from screening.services.gradings import queue_grading, retry_grading, run_grading
from screening.services.regradings import work_on_regradings
from screening.services.thresholds import with_site_threshold
from screening.templatetags.gradings import risk_bar
from tests.builders import FAKE_VERSION, FakeBundle, FakeGrader, make_prediction
from tests.screening.factories import (
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    SiteFactory,
    SiteThresholdFactory,
    UserFactory,
)
from tests.screening.registered_bundles import bundle_folder, registered, store_paired_eyes
from tests.screening.regradings import regrading_of

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


def test_it_grades_new_photographs_of_its_site_alone_and_gradings_stay(
    site: Site, active: BundleActivation, bundle: RegisteredBundle, candidate: FakeGrader, fake_grader: FakeGrader
) -> None:
    before = GradingFactory(image__exam__patient__site=site, is_done=True, grade=0)
    image, elsewhere = queued_image(site), FundusImageFactory()
    queue_grading(image=elsewhere, by=None)
    for one in (image, elsewhere):
        run_grading(grading_id=one.gradings.get().pk)
    new, other = image.gradings.get(), elsewhere.gradings.get()
    assert (new.model, new.model_version, new.status, new.grade) == ("accurate", bundle.model_version, "done", 3)
    assert (other.model_version, other.grade) == (FAKE_VERSION, 2)
    before.refresh_from_db()
    assert (before.grade, before.image.gradings.count()) == (0, 1)
    assert (len(candidate.photos), len(fake_grader.photos)) == (1, 1)


def test_the_other_model_of_the_site_is_still_the_released_one(
    site: Site, active: BundleActivation, bundle: RegisteredBundle, graders: dict[ServedModel, FakeGrader]
) -> None:
    assert version_in_use(site, ServedModel.FAST) == "fast-1.0.0+00000000"
    Site.objects.filter(pk=site.pk).update(model="fast")
    assert version_in_use(Site.objects.get(pk=site.pk)) == "fast-1.0.0+00000000"


def test_what_waited_at_the_change_is_graded_by_the_bundle_in_use(
    site: Site, bundle: RegisteredBundle, candidate: FakeGrader, chief: User
) -> None:
    image = queued_image(site)
    BundleActivation.objects.create(
        site=site, model="accurate", number=1, bundle=bundle, reason="passed", created_by=chief
    )
    run_grading(grading_id=image.gradings.get().pk)
    failed, new = image.gradings.order_by("created_at")
    assert (failed.status, failed.failure_code) == ("failed", "model_changed")
    assert (new.status, new.model_version) == ("queued", bundle.model_version)


def test_without_its_files_a_photograph_fails_visibly_and_the_way_back_grades_it(
    site: Site, active: BundleActivation, folder: Path, chief: User, fake_grader: FakeGrader
) -> None:
    remove_all(folder)
    image = queued_image(site)
    grading = image.gradings.get()
    run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    assert (grading.status, grading.failure_code, fake_grader.photos) == ("failed", "model_unavailable", [])
    retry_grading(grading=grading, by=MembershipFactory(site=site).user)
    run_grading(grading_id=grading.pk)
    assert fake_grader.photos == []
    return_to_release(site=site, reason="its folder is lost", base_id=active.pk, by=chief)
    new = image.gradings.get(model_version=FAKE_VERSION)
    run_grading(grading_id=new.pk)
    new.refresh_from_db()
    assert (new.status, new.grade) == ("done", 2)


def test_a_regrading_rests_without_the_files_and_ends_after_a_change(
    site: Site, active: BundleActivation, bundle: RegisteredBundle, folder: Path, chief: User
) -> None:
    job = regrading_of(site)
    job.model_version = bundle.model_version
    job.save()
    remove_all(folder)
    assert work_on_regradings() == 0
    job.refresh_from_db()
    assert job.state == "running"
    return_to_release(site=site, reason="its folder is lost", base_id=active.pk, by=chief)
    work_on_regradings()
    job.refresh_from_db()
    assert (job.state, Grading.objects.filter(status="failed").exists()) == ("failed", False)


def test_a_threshold_of_another_bundle_has_no_effect(
    site: Site, active: BundleActivation, bundle: RegisteredBundle, candidate: FakeGrader
) -> None:
    stored = SiteThresholdFactory(site=site, operating_point=0.9)  # of the released one
    assert threshold_in_use(site, bundle.model_version) is None
    prediction = make_prediction(3, model_version=bundle.model_version)
    assert with_site_threshold(prediction, site) == (prediction, None)
    assert unused_thresholds({ServedModel.ACCURATE: FAKE_VERSION}) == [stored]
    own = SiteThresholdFactory(site=site, model_version=bundle.model_version, operating_point=0.9)
    assert threshold_in_use(site, bundle.model_version) == own
    assert unused_thresholds({ServedModel.ACCURATE: FAKE_VERSION}) == []


def test_the_gate_ignores_what_the_bundle_graded_while_it_was_active(
    site: Site, bundle: RegisteredBundle, chief: User
) -> None:
    store_paired_eyes(site, bundle, signed=3, n=2, served=3, candidate=3)
    Grading.objects.update(model_version=bundle.model_version)
    assert compare_shadow(site, bundle, model_version=FAKE_VERSION).n_eyes == 0
    assert compare_shadow(site, bundle, model_version=bundle.model_version).n_eyes == 2


@pytest.mark.parametrize("damage", [alter_description, alter_weights, remove_weights, remove_all])
def test_health_and_doctor_name_an_active_bundle_that_is_missing_or_altered(
    site: Site, active: BundleActivation, folder: Path, client: Client, damage: Any
) -> None:
    assert checks.check_active_bundles() == str(active)
    damage(folder)
    with pytest.raises(checks.HealthCheckError, match=site.code):
        checks.check_active_bundles()
    response = client.get("/health/ready")
    assert response.json()["active_bundles"] == "degraded"


def test_pages_and_uploads_work_without_its_files(
    site: Site, active: BundleActivation, folder: Path, manager: User, client: Client
) -> None:
    remove_all(folder)
    with pytest.raises(BundleError):
        bundle_in_use(site)
    client.force_login(manager)
    for address in (f"/sites/{site.pk}/", f"/sites/{site.pk}/activation/", "/models/"):
        assert client.get(address).status_code == 200
    assert client.get(f"/sites/{site.pk}/operating-point/").status_code == 302
    assert queued_image(site).gradings.get().model_version == active.bundle.model_version  # type: ignore[union-attr]


def test_a_result_has_what_its_bundle_reached_in_validation(
    site: Site, active: BundleActivation, bundle: RegisteredBundle, folder: Path
) -> None:
    point = read_bundle(folder).operating_point
    grading = GradingFactory(
        image__exam__patient__site=site, is_done=True, model_version=bundle.model_version, operating_point=point
    )
    (text,) = risk_bar(grading, point)["texts"]
    assert "flagged in validation" in text
    remove_all(folder)
    assert risk_bar(grading, point)["texts"] == []


def test_a_bundle_is_checked_loaded_and_activated_with_its_real_files(
    site: Site, folder: Path, chief: User, small_gate: None
) -> None:
    bundle = registered(folder, chief)
    store_good_eyes(site, bundle)
    activate_bundle(site=site, bundle=bundle, reason="better", base_id=None, by=chief)
    assert bundle_in_use(site).model_version == read_bundle(folder).model_version
