"""Pages that move records to another patient, merge records and retract results."""

from typing import Any

import pytest
from django.test import Client

from screening.models import AuditEvent, Correction, Exam, FundusImage, Patient, Review, Site
from screening.services.recalls import update_recall
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    PatientFactory,
    ReviewFactory,
)
from tests.screening.views.pages import page_text, text_of, url

WHY = "Wrong name on the list"


@pytest.fixture
def exam(site: Site) -> Exam:
    """A signed exam of both eyes."""
    exam = ExamFactory(patient=PatientFactory(site=site, mrn="WRONG-1"), is_submitted=True, status=Exam.Status.SIGNED)
    review = ReviewFactory(exam=exam, recall_on="2030-01-02")
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
        EyeFindingFactory(review=review, laterality=eye)
    return exam


@pytest.fixture
def right(site: Site) -> Patient:
    return PatientFactory(site=site, mrn="RIGHT-2", family_name="Lovelace")


def two_steps(client: Client, name: str, pk: object, patient: Patient) -> tuple[str, Any]:
    """The page that shows both patients, and the response to its button."""
    data = {"mrn": f" {patient.mrn} ", "reason": WHY}
    confirm = text_of(client.post(url(name, pk), data))
    assert f'name="confirm" value="{patient.pk}"' in confirm
    return confirm, client.post(url(name, pk), data | {"confirm": str(patient.pk)}, follow=True)


def test_an_exam_is_moved_after_both_patients_are_shown(exam: Exam, right: Patient, as_manager: Client) -> None:
    wrong = exam.patient
    assert "Move this exam to another patient" in page_text(as_manager, "exam-detail", exam.pk)
    data = {"mrn": right.mrn, "reason": WHY}
    confirm = text_of(as_manager.post(url("exam-move", exam.pk), data))
    exam.refresh_from_db()
    assert exam.patient == wrong, "the first step moves nothing"
    assert "WRONG-1" in confirm
    assert "Lovelace" in confirm
    assert AuditEvent.objects.filter(verb="patient.viewed", object_id=str(right.pk)).exists()
    _confirm, response = two_steps(as_manager, "exam-move", exam.pk, right)
    text = text_of(response)
    exam.refresh_from_db()
    assert (exam.patient, exam.status) == (right, Exam.Status.SUBMITTED)
    assert "The exam is moved." in text
    for expected in ("Does not count", WHY, "<del", "WRONG-1", "RIGHT-2"):
        assert expected in text
    for patient in (wrong, right):
        history = page_text(as_manager, "patient-detail", patient.pk)
        assert "Exam moved to another patient" in history
        assert WHY in history
        assert "due now: there is no valid result." in history


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"mrn": "UNKNOWN-9", "reason": WHY}, "No patient at this site has this number."),
        ({"mrn": "RIGHT-2", "reason": ""}, "Enter the reason."),
        ({"mrn": "WRONG-1", "reason": WHY}, "This is the same patient."),
        ({"mrn": "HILL-3", "reason": WHY}, "No patient at this site has this number."),
    ],
)
def test_a_move_that_is_refused_keeps_the_entries(
    data: dict[str, str], message: str, exam: Exam, right: Patient, other_site: Site, as_manager: Client
) -> None:
    PatientFactory(site=other_site, mrn="HILL-3")
    confirm = {"confirm": str(exam.patient_id)}
    response = as_manager.post(url("exam-move", exam.pk), data | confirm)
    assert response.status_code == 422
    assert message in text_of(response)
    assert f'value="{data["mrn"]}"' in text_of(response)
    assert not Correction.objects.exists()


def test_the_patient_that_was_shown_is_the_one_that_gets_the_exam(
    exam: Exam, right: Patient, as_manager: Client
) -> None:
    data = {"mrn": right.mrn, "reason": WHY, "confirm": str(exam.patient_id)}
    assert "Move the exam to this patient" in text_of(as_manager.post(url("exam-move", exam.pk), data))
    assert not Correction.objects.exists()


def test_a_photograph_is_moved(exam: Exam, right: Patient, as_manager: Client) -> None:
    image = exam.images.get(laterality="OS")
    assert url("image-move", image.pk) in page_text(as_manager, "exam-detail", exam.pk)
    confirm, response = two_steps(as_manager, "image-move", image.pk, right)
    assert url("image-thumbnail", image.pk) in confirm
    text = text_of(response)
    assert FundusImage.objects.get(pk=image.pk).exam.patient == right
    assert "The left eye (OS) has no photograph any more." in text
    assert "Photograph moved to another patient" in text


def test_records_are_merged_and_parted(exam: Exam, right: Patient, as_manager: Client) -> None:
    patient = exam.patient
    assert "Merge with another record" in page_text(as_manager, "patient-detail", patient.pk)
    _confirm, response = two_steps(as_manager, "patient-merge", patient.pk, right)
    assert "This record was merged into another one" in text_of(response)
    text = page_text(as_manager, "patient-detail", right.pk)
    assert "Merged into this record" in text
    assert "due 2 Jan 2030." in text
    assert "WRONG-1" not in page_text(as_manager, "patient-list")
    refused = as_manager.post(url("patient-exams", patient.pk), follow=True)
    assert "merged into another one. Open the exam there." in text_of(refused)
    as_manager.post(url("patient-unmerge", patient.pk), {"reason": "Two people"})
    exam.refresh_from_db()
    assert (exam.patient, exam.patient.merged_into) == (patient, None)


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, ""),
        ({"born_on": "1950-02"}, ""),  # less exact
        ({"sex": "U"}, ""),
        ({"born_on": "1951-02-03"}, "birth date"),
        ({"family_name": "Byron", "sex": "M"}, "name, sex"),
    ],
)
def test_a_merge_names_the_facts_that_differ(
    changes: dict[str, str], facts: str, site: Site, as_manager: Client
) -> None:
    same = {"site": site, "given_name": "Ada", "family_name": "Lovelace", "born_on": "1950-02-03", "sex": "F"}
    patient, other = PatientFactory(**same), PatientFactory(**same | changes)
    confirm = text_of(as_manager.post(url("patient-merge", patient.pk), {"mrn": other.mrn, "reason": WHY}))
    assert (f"These facts differ: {facts}." in confirm) is bool(facts)
    assert ("These facts differ" in confirm) is bool(facts)


def test_a_result_is_marked_as_entered_in_error(exam: Exam, as_reviewer: Client) -> None:
    update_recall(exam.patient_id)
    assert "due 2 Jan 2030." in page_text(as_reviewer, "patient-detail", exam.patient_id)
    page = page_text(as_reviewer, "exam-in-error", exam.pk)
    review = Review.objects.get()
    assert f'value="{review.pk}"' in page
    stale = as_reviewer.post(url("exam-in-error", exam.pk), {"reason": WHY, "review": str(exam.pk)})
    assert "amended meanwhile" in text_of(stale)
    assert as_reviewer.post(url("exam-in-error", exam.pk), {"review": str(review.pk)}).status_code == 422
    assert not Correction.objects.exists()
    as_reviewer.post(url("exam-in-error", exam.pk), {"reason": WHY, "review": str(review.pk)})
    exam.refresh_from_db()
    assert exam.status == Exam.Status.ENTERED_IN_ERROR
    history = page_text(as_reviewer, "patient-detail", exam.patient_id)
    for expected in ("Result entered in error", WHY, "<del", "due now: there is no valid result."):
        assert expected in history
    gone = as_reviewer.get(url("exam-in-error", exam.pk), follow=True)
    assert "has no result that counts" in text_of(gone)


def test_no_number_is_in_an_address(exam: Exam, right: Patient, as_manager: Client) -> None:
    _confirm, response = two_steps(as_manager, "exam-move", exam.pk, right)
    assert all("RIGHT" not in address for address, _status in response.redirect_chain)


def test_a_photographer_is_offered_no_correction(exam: Exam, as_photographer: Client) -> None:
    text = page_text(as_photographer, "exam-detail", exam.pk) + page_text(
        as_photographer, "patient-detail", exam.patient_id
    )
    for hidden in ("Move this exam", "entered in error", "Merge with another", "Move it to another patient"):
        assert hidden not in text
