"""The demo clinic: created once, continued after an interruption, with the credentials of the start."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from ml.synthetic import FundusDrawing
from screening.access import Action, can
from screening.demo import clinic
from screening.demo.credentials import Credentials
from screening.demo.folder import DemoError
from screening.demo.synthetic_exams import PATIENTS
from screening.models import ApiKey, Exam, FundusImage, Grading, Membership, Patient, Review, Site, User
from screening.photos import synthetic
from screening.services import api_keys, exams

pytestmark = pytest.mark.django_db
CREDENTIALS = Credentials("correct horse battery", "drk_battery-staple-correct-horse")
N_PHOTOS = 2 * len(PATIENTS) - 1


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (70, 70, 3), dtype=np.uint8))


@pytest.fixture(autouse=True)
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[FundusDrawing]:
    """Drawings that were rendered; small noise replaces each photograph."""
    rendered: list[FundusDrawing] = []

    def render(drawing: FundusDrawing) -> Image.Image:
        rendered.append(drawing)
        return noise(drawing.seed)

    monkeypatch.setattr(synthetic, "draw_fundus", render)
    return rendered


@pytest.fixture
def start() -> Callable[..., None]:
    """Seeds the clinic and creates its exams, as a start of the demo does."""

    def seed_and_create() -> None:
        clinic.seed_demo(CREDENTIALS)
        clinic.create_demo_exams()

    return seed_and_create


def test_each_user_has_the_role_of_the_name() -> None:
    clinic.seed_demo(CREDENTIALS)
    site = Site.objects.get()
    photographer, reviewer, admin = (User.objects.get(username=n) for n in ("photographer", "reviewer", "admin"))
    assert can(photographer, Action.UPLOAD_IMAGE, site)
    assert not can(photographer, Action.REVIEW_EXAM, site)
    assert can(reviewer, Action.REVIEW_EXAM, site)
    assert not can(reviewer, Action.UPLOAD_IMAGE, site)
    assert can(admin, Action.MANAGE_SITE, site)
    assert (photographer.is_staff, reviewer.is_staff, admin.is_superuser) == (False, False, True)


def test_the_credentials_of_the_last_start_are_valid() -> None:
    for credentials in (CREDENTIALS, Credentials("another password", "drk_another-key-of-the-demo")):
        clinic.seed_demo(credentials)
        assert all(user.check_password(credentials.password) for user in User.objects.all())
        key = api_keys.find_key(credentials.api_key)
        assert key is not None
        assert key.user.username == "photographer"
    assert api_keys.find_key(CREDENTIALS.api_key) is None


def test_a_password_that_a_user_changed_is_set_again() -> None:
    clinic.seed_demo(CREDENTIALS)
    user = User.objects.get(username="reviewer")
    user.set_password("changed")
    user.save()
    clinic.seed_demo(CREDENTIALS)
    assert all(user.check_password(CREDENTIALS.password) for user in User.objects.all())


def test_a_revoked_key_is_refused() -> None:
    clinic.seed_demo(CREDENTIALS)
    api_keys.revoke_key(key=ApiKey.objects.get(), by=User.objects.get(username="admin"))
    with pytest.raises(DemoError, match="revoked"):
        clinic.seed_demo(CREDENTIALS)


def test_a_second_start_adds_nothing(start: Callable[..., None]) -> None:
    def counts() -> list[int]:
        models: list[Any] = [Site, User, Membership, Patient, Exam, FundusImage, Grading, Review, ApiKey]
        return [model.objects.count() for model in models]

    start()
    first = counts()
    start()
    assert counts() == first
    assert first[4] == len(PATIENTS) + 1


def test_an_interrupted_start_is_continued(start: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = Mock(side_effect=[noise(0), noise(1), noise(2), KeyboardInterrupt])
    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "draw_fundus", interrupted)
        with pytest.raises(KeyboardInterrupt):
            start()
    assert FundusImage.objects.count() == 3
    start()
    assert FundusImage.objects.count() == N_PHOTOS
    assert Exam.objects.get(status=Exam.Status.OPEN).patient.mrn == clinic.MRN_WITHOUT_PHOTOS


def test_a_cancelled_exam_stays_cancelled() -> None:
    clinic.seed_demo(CREDENTIALS)
    exam = Exam.objects.get(patient__mrn=PATIENTS[0].mrn)
    exams.cancel_exam(exam=exam, by=User.objects.get(username="photographer"))
    clinic.create_demo_exams()
    assert not exam.images.exists()


def test_the_clinic_has_all_grades_a_blurred_photograph_an_absent_eye_and_a_review(
    start: Callable[..., None], drawings: list[FundusDrawing]
) -> None:
    start()
    assert FundusImage.objects.filter(is_synthetic=True).count() == N_PHOTOS
    assert Grading.objects.filter(status=Grading.Status.QUEUED).count() == N_PHOTOS
    eyes = [eye for patient in PATIENTS for _, eye in patient.eyes()]
    assert {eye.grade for eye in eyes if eye.grade is not None} == {0, 1, 2, 3, 4}
    assert any(eye.faults.blur_px for eye in eyes)
    assert Exam.objects.exclude(left_eye_absent_reason="").count() == 1
    assert [review.exam.patient.mrn for review in Review.objects.all()] == [p.mrn for p in PATIENTS if p.is_signed]
    right, left = drawings[:2]
    assert (right.laterality, left.laterality) == ("OD", "OS")
    assert (right.frame, right.cut, right.complexion) == (left.frame, left.cut, left.complexion)
    assert right.landmarks != left.landmarks
