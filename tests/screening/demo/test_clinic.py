"""The demo clinic: made once, continued where it stopped, opened by the credentials of the day."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml.synthetic import FundusDrawing
from screening.access import Action, can
from screening.demo import clinic
from screening.demo.folder import Credentials, DemoError
from screening.models import ApiKey, Exam, FundusImage, Grading, Membership, Patient, Review, Site, User
from screening.services import api_keys, exams

pytestmark = pytest.mark.django_db

CREDENTIALS = Credentials("correct horse battery", "drk_battery-staple-correct-horse")


def a_small_drawing(drawing: FundusDrawing) -> Image.Image:
    noise = np.random.default_rng(drawing.seed).integers(0, 256, (70, 70, 3), dtype=np.uint8)
    return Image.fromarray(noise)


@pytest.fixture(autouse=True)
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[FundusDrawing]:
    """The requested drawings; small noise is drawn in place of each."""
    requested: list[FundusDrawing] = []

    def draw(drawing: FundusDrawing) -> Image.Image:
        requested.append(drawing)
        return a_small_drawing(drawing)

    monkeypatch.setattr(clinic, "draw_fundus", draw)
    return requested


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


def test_the_password_and_the_key_open_the_clinic() -> None:
    clinic.seed_demo(CREDENTIALS)
    assert all(user.check_password(CREDENTIALS.password) for user in User.objects.all())
    key = api_keys.find_key(CREDENTIALS.api_key)
    assert key is not None
    assert key.user.username == "photographer"


def test_new_credentials_replace_the_old_ones() -> None:
    clinic.seed_demo(CREDENTIALS)
    clinic.seed_demo(Credentials("another password", "drk_another-key-of-the-demo"))
    assert all(user.check_password("another password") for user in User.objects.all())
    assert api_keys.find_key(CREDENTIALS.api_key) is None
    assert api_keys.find_key("drk_another-key-of-the-demo") is not None


def test_a_revoked_key_does_not_come_back() -> None:
    clinic.seed_demo(CREDENTIALS)
    api_keys.revoke_key(key=ApiKey.objects.get(), by=User.objects.get(username="admin"))
    with pytest.raises(DemoError, match="revoked"):
        clinic.seed_demo(CREDENTIALS)


def test_starting_again_adds_nothing() -> None:
    def counts() -> list[int]:
        tables: list[Any] = [Site, User, Membership, Patient, Exam, FundusImage, Grading, Review, ApiKey]
        return [table.objects.count() for table in tables]

    for _ in range(2):
        clinic.seed_demo(CREDENTIALS)
        clinic.create_demo_exams()
    first = counts()
    clinic.seed_demo(CREDENTIALS)
    clinic.create_demo_exams()
    assert counts() == first
    assert first[4] == len(clinic.DEMO_PATIENTS) + 1


def test_every_photograph_is_marked_as_synthetic_and_queued() -> None:
    clinic.seed_demo(CREDENTIALS)
    clinic.create_demo_exams()
    images = FundusImage.objects.all()
    assert len(images) == 2 * len(clinic.DEMO_PATIENTS) - 1
    assert all(image.is_synthetic for image in images)
    assert Grading.objects.filter(status=Grading.Status.QUEUED).count() == len(images)


def test_drawing_goes_on_where_it_was_interrupted(
    monkeypatch: pytest.MonkeyPatch, drawings: list[FundusDrawing]
) -> None:
    clinic.seed_demo(CREDENTIALS)

    def draw_three(drawing: FundusDrawing) -> Image.Image:
        if len(drawings) == 3:
            raise KeyboardInterrupt
        drawings.append(drawing)
        return a_small_drawing(drawing)

    with monkeypatch.context() as patch:
        patch.setattr(clinic, "draw_fundus", draw_three)
        with pytest.raises(KeyboardInterrupt):
            clinic.create_demo_exams()
    assert FundusImage.objects.count() == 3
    clinic.create_demo_exams()
    assert FundusImage.objects.count() == 2 * len(clinic.DEMO_PATIENTS) - 1
    assert (
        not Exam.objects.filter(status=Exam.Status.OPEN).exclude(patient__mrn=clinic.PATIENT_WITHOUT_PHOTOS[0]).exists()
    )


def test_an_exam_that_a_visitor_cancelled_stays_cancelled(drawings: list[FundusDrawing]) -> None:
    clinic.seed_demo(CREDENTIALS)
    exam = Exam.objects.get(patient__mrn=clinic.DEMO_PATIENTS[0].mrn)
    exams.cancel_exam(exam=exam, by=User.objects.get(username="photographer"))
    clinic.create_demo_exams()
    assert not exam.images.exists()


def test_the_clinic_shows_every_grade_a_fault_an_absent_eye_and_a_signed_review() -> None:
    clinic.seed_demo(CREDENTIALS)
    clinic.create_demo_exams()
    eyes = [eye for person in clinic.DEMO_PATIENTS for eye in (person.right, person.left)]
    assert {eye.grade for eye in eyes if eye.grade is not None} == {0, 1, 2, 3, 4}
    assert any(eye.faults.blur_px for eye in eyes)
    assert Exam.objects.exclude(left_eye_absent_reason="").count() == 1
    review = Review.objects.get()
    assert review.exam.patient.mrn == next(person.mrn for person in clinic.DEMO_PATIENTS if person.is_signed)


def test_two_eyes_of_one_person_come_from_one_camera(drawings: list[FundusDrawing]) -> None:
    clinic.seed_demo(CREDENTIALS)
    clinic.create_demo_exams()
    right, left = drawings[:2]
    assert (right.laterality, left.laterality) == ("OD", "OS")
    assert (right.frame, right.cut, right.complexion) == (left.frame, left.cut, left.complexion)
    assert right.landmarks != left.landmarks
