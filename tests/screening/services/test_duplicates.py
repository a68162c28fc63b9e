"""The same picture again: never for both eyes, and never in the exams of two patients without a reason."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from ml.perceptual_hash import hash_flips, probe_values
from screening.models import (
    AuditEvent,
    Exam,
    FundusImage,
    PerceptualHash,
    PerceptualHashBand,
    Site,
    User,
)
from screening.services import duplicates
from screening.services.corrections import move_image
from screening.services.exams import ExamError
from screening.services.images import (
    Answers,
    PictureOfOtherEye,
    PictureOfOtherPatient,
    attach_image,
    change_laterality,
    withdraw_image,
)
from tests.copies import SAME_PICTURE, encoded, eye_file, synthetic_photo
from tests.screening.factories import ExamFactory, MembershipFactory, PatientFactory

Attach = Callable[..., FundusImage]
CONFIRMED = Answers(confirmed=("other_patient",), reason="Registered twice")


@pytest.fixture
def attach(exam: Exam, photographer: User) -> Attach:
    """Attaches a drawn photograph of the right eye; keywords change the arguments."""

    def call(data: bytes | None = None, **changes: Any) -> FundusImage:
        upload = BytesIO(eye_file() if data is None else data)
        return attach_image(**{"exam": exam, "upload": upload, "laterality": "OD", "by": photographer, **changes})

    return call


@pytest.fixture
def other_exam(site: Site) -> Exam:
    """An exam of another patient of the site."""
    return ExamFactory(patient=PatientFactory(site=site))


@pytest.mark.django_db(transaction=True)
def test_of_one_picture_for_several_patients_at_once_one_is_stored(
    shared_database: str, photographer: User, media_root: Any
) -> None:
    exams = [ExamFactory(patient=PatientFactory(site=photographer.memberships.get().site)) for _ in range(4)]

    def attach_to(exam: Exam) -> bool:
        try:
            attach_image(exam=exam, upload=BytesIO(eye_file()), laterality="OD", by=photographer)
        except PictureOfOtherPatient:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(len(exams)) as pool:
        assert sorted(pool.map(attach_to, exams)) == [False, False, False, True]
    assert FundusImage.objects.count() == len([path for path in Path(media_root).rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("kind", SAME_PICTURE)
def test_the_same_picture_is_not_both_eyes_of_an_exam(kind: str, attach: Attach, media_root: Any) -> None:
    attach()
    with pytest.raises(PictureOfOtherEye, match="already in this exam as the right eye"):
        attach(SAME_PICTURE[kind](synthetic_photo()), laterality="OS")
    assert FundusImage.objects.count() == PerceptualHash.objects.count() == 1
    assert len([path for path in media_root.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("kind", ["lower quality", "mirrored"])
def test_the_same_picture_of_the_same_eye_is_another_photograph(kind: str, attach: Attach) -> None:
    assert attach() != attach(SAME_PICTURE[kind](synthetic_photo()))


def test_the_other_eye_and_other_people_are_other_pictures(attach: Attach, other_exam: Exam) -> None:
    attach()
    attach(eye_file(laterality="OS"), laterality="OS")
    for seed in (8, 9):
        attach(eye_file(seed), exam=other_exam)
    assert FundusImage.objects.count() == 4


def test_a_copy_cannot_be_moved_to_the_other_eye(attach: Attach, photographer: User) -> None:
    attach()
    copy = attach(SAME_PICTURE["mirrored"](synthetic_photo()))
    with pytest.raises(PictureOfOtherEye):
        change_laterality(image=copy, laterality="OS", by=photographer)


def test_a_copy_cannot_be_moved_beside_the_other_eye(attach: Attach, other_exam: Exam, manager: User) -> None:
    image = attach()
    attach(SAME_PICTURE["mirrored"](synthetic_photo()), exam=other_exam, laterality="OS", answers=CONFIRMED)
    with pytest.raises(PictureOfOtherEye):
        move_image(image=image, to_patient=other_exam.patient, reason="Wrong patient", by=manager)


@pytest.mark.parametrize("kind", SAME_PICTURE)
def test_a_picture_of_another_patient_needs_a_confirmation_with_a_reason(
    kind: str, attach: Attach, other_exam: Exam
) -> None:
    first, copy = attach(), SAME_PICTURE[kind](synthetic_photo())
    with pytest.raises(PictureOfOtherPatient, match="another patient") as question:
        attach(copy, exam=other_exam)
    assert (question.value.image, question.value.code) == (first, "other_patient")
    with pytest.raises(ExamError, match="reason"):
        attach(copy, exam=other_exam, answers=Answers(confirmed=["other_patient"], reason="  "))
    with pytest.raises(ExamError, match="200"):
        attach(copy, exam=other_exam, answers=Answers(confirmed=["other_patient"], reason="x" * 201))
    assert FundusImage.objects.count() == 1
    image = attach(copy, exam=other_exam, answers=CONFIRMED)
    assert image.copy_reason == "Registered twice"
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.IMAGE_ATTACHED, object_id=str(image.pk))
    assert event.data["copy_of"] == str(first.pk)
    assert "Registered" not in str(event.data)


def test_a_confirmation_without_need_stores_no_reason(attach: Attach) -> None:
    assert attach(answers=CONFIRMED).copy_reason == ""


def test_other_sites_and_other_exams_of_the_patient_are_not_compared(
    attach: Attach, exam: Exam, other_site: Site, photographer: User
) -> None:
    attach()
    MembershipFactory(user=photographer, site=other_site)
    attach(exam=ExamFactory(patient=exam.patient))
    attach(exam=ExamFactory(patient=PatientFactory(site=other_site)))
    assert FundusImage.objects.count() == 3


@pytest.mark.parametrize(("code", "is_free"), [("wrong_patient", True), ("wrong_eye", True), ("poor_quality", False)])
def test_a_photograph_withdrawn_from_the_wrong_place_may_be_uploaded_in_the_right_one(
    code: str, is_free: bool, attach: Attach, other_exam: Exam, photographer: User
) -> None:
    withdraw_image(image=attach(), code=code, by=photographer)
    attach(laterality="OS")
    withdraw_image(image=FundusImage.objects.get(laterality="OS"), code="wrong_patient", by=photographer)
    if is_free:
        attach(exam=other_exam)
    else:
        with pytest.raises(PictureOfOtherPatient):
            attach(exam=other_exam)


def test_photographs_without_detail_are_compared_by_their_bytes_only(attach: Attach, other_exam: Exam) -> None:
    black = encoded(synthetic_photo().point(lambda _level: 3))
    attach(black)
    attach(encoded(synthetic_photo().point(lambda _level: 3), quality=70), laterality="OS")
    with pytest.raises(PictureOfOtherPatient):
        attach(black, exam=other_exam)


def test_candidates_come_from_an_index_in_few_queries(attach: Attach, site: Site, other_exam: Exam) -> None:
    attach()
    for seed in range(20, 26):
        attach(eye_file(seed), exam=ExamFactory(patient=PatientFactory(site=site)))
    copy = encoded(synthetic_photo(), quality=60)
    hashes = hash_flips(copy)
    content = duplicates.Content(sha256="0" * 64, hashes=tuple(hashes))
    with CaptureQueriesContext(connection) as queries:
        stored = duplicates.find_stored(image=FundusImage(exam=other_exam, laterality="OD"), content=content)
        assert duplicates.same_of_other_patient(stored, content) is not None
    assert len(queries) == 3  # candidates, the crops of some, the photograph that was found
    bands = PerceptualHashBand.objects.filter(site=site, value__in=probe_values(hashes[0]))
    if connection.vendor == "sqlite":  # PostgreSQL reads a table this small without an index
        assert "INDEX hash_band_by_site (site_id=? AND value=?)" in bands.values("image").explain()


def test_of_many_candidates_those_with_most_bands_are_compared(
    attach: Attach, site: Site, other_exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = attach()
    for seed in range(20, 26):
        image = attach(eye_file(seed), exam=ExamFactory(patient=PatientFactory(site=site)))
        shared = PerceptualHashBand.objects.filter(image=original)[0]
        PerceptualHashBand.objects.create(image=image, site=site, value=shared.value)
    content = duplicates.Content(sha256="0" * 64, hashes=tuple(hash_flips(encoded(synthetic_photo(), quality=60))))
    monkeypatch.setattr(duplicates, "_MAX_CANDIDATES", 1)
    stored = duplicates.find_stored(image=FundusImage(exam=other_exam, laterality="OD"), content=content)
    assert [row.pk for row in stored.other_patients] == [original.pk]


def test_missing_hashes_are_stored_once(attach: Attach, other_exam: Exam) -> None:
    attach()
    PerceptualHash.objects.all().delete()
    PerceptualHashBand.objects.all().delete()
    call_command("hash_photographs", verbosity=0)
    assert duplicates.hash_missing() == 0
    with pytest.raises(PictureOfOtherPatient):
        attach(SAME_PICTURE["mirrored"](synthetic_photo()), exam=other_exam)
