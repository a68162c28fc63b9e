"""What the bundle that is active at a site does: gradings, thresholds, health, and pages without its files."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ml.bundle import read_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.health import checks
from screening.models import BundleActivation, Grading, RegisteredBundle, Site, User
from screening.selectors.shadows import compare_shadow
from screening.selectors.thresholds import threshold_in_use, unused_thresholds
from screening.services.activations import activate_bundle, return_to_release
from screening.services.active_bundles import bundle_in_use, version_in_use
from screening.services.gradings import queue_grading, retry_grading, run_grading
from screening.services.regradings import work_on_regradings
from screening.services.thresholds import with_site_threshold
from screening.templatetags.gradings import risk_bar
from tests.builders import FAKE_VERSION, FakeGrader, make_prediction
from tests.screening.factories import (
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    SiteThresholdFactory,
)
from tests.screening.registered_bundles import registered, store_paired_eyes
from tests.screening.regradings import regrading_of
from tests.screening.services.test_activations import (
    active,
    alter_description,
    alter_weights,
    bundle,
    candidate,
    chief,
    folder,
    queued_image,
    remove_all,
    remove_weights,
    small_gate,
    store_good_eyes,
)

__all__ = ("active", "bundle", "candidate", "chief", "folder", "small_gate")  # fixtures

Status = Grading.Status


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
