"""Registered bundles, shadow mode of a site, and its gradings, which no reader sees."""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ml.errors import BundleError, GradingError
from screening.access import AccessDenied
from screening.models import AuditEvent, FundusImage, Grading, RegisteredBundle, ShadowGrading, Site, SiteShadow, User
from screening.selectors.shadows import compare_shadow, newest_shadow
from screening.services import inference
from screening.services.registered_bundles import BundleRefused
from screening.services.shadow_gradings import MAX_ATTEMPTS, grade_shadows
from screening.services.shadows import change_shadow
from tests.builders import FAKE_VERSION, FakeGrader, make_prediction
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    ReviewFactory,
    UserFactory,
)

VERSION = "other-1.0.0+11111111"


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(is_superuser=True)


@pytest.fixture
def bundle(chief: User, settings: Any, tmp_path: Path) -> RegisteredBundle:
    settings.MODELS_DIR = str(tmp_path)
    return RegisteredBundle.objects.create(
        folder_name="other-1.0.0", model_version=VERSION, description_sha256="0" * 64, reason="x", created_by=chief
    )


@pytest.fixture
def shadow(site: Site, bundle: RegisteredBundle, chief: User) -> SiteShadow:
    today = datetime.date(2020, 1, 1)
    return change_shadow(site=site, bundle=bundle, since=today, reason="try it", base_id=None, by=chief)


@pytest.fixture
def candidate(monkeypatch: pytest.MonkeyPatch) -> FakeGrader:
    """The grader of the registered bundle."""
    grader = FakeGrader(make_prediction(3, model_version=VERSION))
    monkeypatch.setattr(inference, "registered_grader", lambda _folder, _sha256: grader)
    return grader


def test_shadow_mode_has_versions_and_a_conflict(
    site: Site, shadow: SiteShadow, bundle: RegisteredBundle, chief: User, manager: User
) -> None:
    end: dict[str, Any] = {"site": site, "bundle": None, "since": None, "reason": "enough"}
    with pytest.raises(AccessDenied):
        change_shadow(**end, base_id=shadow.pk, by=manager)
    with pytest.raises(BundleRefused, match="meanwhile"):
        change_shadow(**end, base_id=None, by=chief)
    with pytest.raises(BundleRefused, match="Nothing differs"):
        change_shadow(**end | {"bundle": bundle, "since": shadow.since}, base_id=shadow.pk, by=chief)
    ended = change_shadow(**end, base_id=shadow.pk, by=chief)
    assert newest_shadow(site) == ended
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.SHADOW_CHANGED, site=site).count() == 2


def test_it_grades_what_the_model_in_use_has_graded_and_stores_it_apart(
    site: Site, shadow: SiteShadow, candidate: FakeGrader
) -> None:
    graded = GradingFactory(image__exam__patient__site=site, is_done=True)
    GradingFactory(image__exam__patient__site=site, is_failed=True)
    GradingFactory(is_done=True)  # of another site
    assert (grade_shadows(), grade_shadows()) == (1, 0)
    row = ShadowGrading.objects.get()
    assert (row.image, row.status, row.grade, row.is_referable) == (graded.image, "done", 3, True)
    assert not Grading.objects.filter(model_version=VERSION).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        ShadowGrading.objects.create(image=row.image, bundle=row.bundle, started_at=timezone.now())


def test_a_photograph_that_waits_goes_first(site: Site, shadow: SiteShadow, candidate: FakeGrader) -> None:
    GradingFactory(image__exam__patient__site=site, is_done=True)
    GradingFactory()  # it waits, at any site
    assert grade_shadows() == 0
    assert candidate.photos == []


def test_what_a_worker_left_behind_is_graded_again_and_fails_in_the_end(
    site: Site, shadow: SiteShadow, candidate: FakeGrader
) -> None:
    image = GradingFactory(image__exam__patient__site=site, is_done=True).image
    candidate.error = SystemExit()  # the worker is killed
    with pytest.raises(SystemExit):
        grade_shadows()
    assert grade_shadows() == 0  # not stale yet
    old = timezone.now() - datetime.timedelta(hours=1)
    ShadowGrading.objects.update(started_at=old)
    candidate.error = GradingError("no photograph")
    assert grade_shadows() == 1
    row = ShadowGrading.objects.get(image=image)
    assert (row.status, row.failure_code, row.n_attempts) == ("failed", "unreadable", 2)
    ShadowGrading.objects.update(started_at=old, status="running", failure_code="", n_attempts=MAX_ATTEMPTS)
    grade_shadows()
    assert ShadowGrading.objects.get().failure_code == "worker_lost"


def test_both_models_are_compared_on_the_same_signed_eyes(
    site: Site, shadow: SiteShadow, bundle: RegisteredBundle, candidate: FakeGrader
) -> None:
    for signed, found in ((2, 0), (0, 0), (3, 3)):
        exam = ExamFactory(patient__site=site, left_eye_absent_reason="prosthesis")
        EyeFindingFactory(review=ReviewFactory(exam=exam), grade=signed)
        GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=found)
    unsigned: FundusImage = GradingFactory(image__exam__patient__site=site, is_done=True).image
    grade_shadows()
    assert ShadowGrading.objects.filter(image=unsigned).exists()
    comparison = compare_shadow(site, bundle, model_version=FAKE_VERSION)
    assert (comparison.n_eyes, comparison.served_sensitivity.n) == (3, 2)
    assert (comparison.served_sensitivity.value, comparison.candidate_sensitivity.value) == (0.5, 1.0)
    assert (comparison.served_specificity.value, comparison.candidate_specificity.value) == (1.0, 0.0)


def test_loaded_models_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.MODEL_MEMORY_MB = 400
    sizes = {"a": 330, "b": 50, "c": 330, "d": 999}

    @dataclasses.dataclass
    class Sized:
        memory_bytes: int

    class Loaded:
        def __init__(self, folder: Path) -> None:
            self.bundle = Sized(sizes[folder.name] * 1_000_000)

    monkeypatch.setattr(inference, "read_bundle", lambda folder: Loaded(folder).bundle)
    monkeypatch.setattr(inference.LoadedGraders, "_load", lambda _self, folder: Loaded(folder))
    graders, (a, b, c, d) = inference.LoadedGraders(), map(Path, "abcd")
    first = graders.get(a)
    graders.get(b)
    assert graders.get(a) is first
    assert graders.folders == [b, a]
    graders.get(c)  # needs the room of both
    assert graders.folders == [c]
    graders.get(d)  # larger than all: it is kept alone
    assert graders.folders == [d]


def test_an_altered_description_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(BundleError, match="altered after its registration"):
        inference.registered_grader(tmp_path, "0" * 64)
