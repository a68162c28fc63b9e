"""A request of each API route that stores a record."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from django.core.files.base import ContentFile
from django.utils import timezone

from screening.models import Exam, FundusImage, LetterBatch, Patient, PhotoUpload, User
from screening.services.uploads import begin_upload
from tests.builders import photo_bytes
from tests.screening.factories import (
    BookingFactory,
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReferralFactory,
    ReviewFactory,
)

NEW_PATIENT = {"mrn": "NEW1", "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}


def open_exam_of(patient: Patient) -> dict[str, Any]:
    return {"exam_id": ExamFactory(patient=patient).pk}


def ready_exam_of(patient: Patient) -> dict[str, Any]:
    exam = ExamFactory(patient=patient, left_eye_absent_reason="prosthesis")
    FundusImageFactory(exam=exam)
    return {"exam_id": exam.pk}


def refused_eye_of(patient: Patient) -> dict[str, Any]:
    exam = ExamFactory(patient=patient)
    for _ in range(3):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    return {"exam_id": exam.pk}


def archive_of(patient: Patient) -> dict[str, Any]:
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        archive.writestr("OD.jpg", photo_bytes())
    data, by = written.getvalue(), User.objects.get(username="photographer")
    upload = begin_upload(exam=ExamFactory(patient=patient), n_bytes=len(data), by=by)
    name = FundusImage._meta.get_field("file").storage.save("uploads/x/x.part", ContentFile(data))
    PhotoUpload.objects.filter(pk=upload.pk).update(segments=[name], n_received=len(data))
    return {"upload_id": upload.pk}


def site_of_overdue(patient: Patient) -> dict[str, Any]:
    day = timezone.localdate() - timedelta(days=60)
    Patient.objects.filter(pk=patient.pk).update(postal_address="7 Mill Lane", due_on=day, next_step_on=day)
    return {"site_id": patient.site_id}


def batch_of(patient: Patient, **values: Any) -> dict[str, Any]:
    by = User.objects.get(username="photographer")
    batch = LetterBatch.objects.create(site=patient.site, variant="standard", n_letters=1, created_by=by, **values)
    return {"batch_id": batch.pk}


def deleted_batch_of(patient: Patient) -> dict[str, Any]:
    return batch_of(patient, state="done", files_deleted_at=timezone.now())


def submitted_exam_of(patient: Patient) -> dict[str, Any]:
    return {"exam_id": ExamFactory(patient=patient, is_submitted=True).pk}


def next_exam_of(patient: Patient) -> dict[str, Any]:
    submitted_exam_of(patient)
    return {}


def signed_review_of(patient: Patient) -> dict[str, Any]:
    exam = ExamFactory(patient=patient, is_submitted=True, status=Exam.Status.SIGNED)
    return {"review_id": ReviewFactory(exam=exam).pk}


def referral_of(patient: Patient, **changes: Any) -> dict[str, Any]:
    return {"referral_id": ReferralFactory(exam__patient=patient, **changes).pk}


def sent_referral_of(patient: Patient) -> dict[str, Any]:
    return referral_of(patient, state="sent")


def result_of_hospital(**changes: Any) -> dict[str, Any]:
    """The body of a request that records a result of a referral that was sent."""
    day = timezone.localdate().isoformat()
    return {"from_state": "sent", "examined_on": day, "is_confirmed": True, "treatment": "laser", **changes}


def image_of(patient: Patient) -> dict[str, Any]:
    return {"image_id": FundusImageFactory(exam__patient=patient).pk}


def merged_record_of(patient: Patient) -> dict[str, Any]:
    return {"patient_id": PatientFactory(site=patient.site, merged_into=patient).pk}


def other_patient_of(patient: Patient) -> str:
    return str(PatientFactory(site=patient.site).pk)


def move_of(patient: Patient) -> dict[str, str]:
    """To another patient, the same one in each call."""
    other, _is_new = Patient.objects.get_or_create(
        site=patient.site, mrn="OTHER", defaults={"family_name": "Other", "born_on": "1960"}
    )
    return {"patient": str(other.pk), "reason": "wrong patient"}


def failed_grading_of(patient: Patient) -> dict[str, Any]:
    return {"grading_id": GradingFactory(image__exam__patient=patient, is_failed=True).pk}


Case = tuple[Callable[[Patient], dict[str, Any]], Callable[[Patient], Any], int]
CASES: dict[str, Case] = {
    "patients": (lambda _: {}, lambda _: NEW_PATIENT, 201),
    "patient-contacts": (
        lambda patient: {"patient_id": patient.pk},
        lambda _: {"kind": "phone_call", "channel": "phone", "result": "reached", "on": f"{timezone.localdate()}"},
        201,
    ),
    "patient-bookings": (
        lambda patient: {"patient_id": patient.pk},
        lambda _: {"day": f"{timezone.localdate()}"},
        201,
    ),
    "booking-status": (
        lambda patient: {"booking_id": BookingFactory(patient=patient).pk},
        lambda _: {"status": "attended"},
        200,
    ),
    "exams": (lambda _: {}, lambda patient: {"patient": str(patient.pk)}, 201),
    "exam-lock": (submitted_exam_of, lambda _: {}, 200),
    "exam-next": (next_exam_of, lambda _: None, 200),
    "exam-images": (open_exam_of, lambda _: {"laterality": "OD"}, 201),
    "exam-absent-eye": (open_exam_of, lambda _: {"laterality": "OS", "reason": "prosthesis"}, 200),
    "exam-not-photographed": (open_exam_of, lambda _: {"laterality": "OS", "reason": "eye kept shut"}, 200),
    "exam-unobtainable": (refused_eye_of, lambda _: {"laterality": "OS", "code": "cataract", "reason": ""}, 200),
    "exam-visit-facts": (open_exam_of, lambda _: {"treatment": "insulin"}, 200),
    "exam-uploads": (open_exam_of, lambda _: None, 201),
    "upload-unpack": (archive_of, lambda _: None, 200),
    "exam-cancel": (open_exam_of, lambda _: None, 200),
    "exam-move": (open_exam_of, move_of, 200),
    "image-move": (image_of, move_of, 200),
    "image-withdraw": (image_of, lambda _: {"code": "other", "reason": "twice"}, 200),
    "referral-steps": (
        referral_of,
        lambda _: {"from_state": "made", "to": "sent", "happened_on": timezone.localdate().isoformat(), "note": ""},
        200,
    ),
    "referral-results": (sent_referral_of, lambda _: result_of_hospital(), 200),
    "exam-reports": (
        lambda patient: {"exam_id": ReviewFactory(exam__patient=patient, exam__status=Exam.Status.SIGNED).exam_id},
        lambda _: {"heatmaps": False},
        201,
    ),
    "exam-letters": (
        lambda patient: {"exam_id": ReviewFactory(exam__patient=patient, exam__status=Exam.Status.SIGNED).exam_id},
        lambda _: {"kind": "result_letter"},
        201,
    ),
    "patient-documents": (lambda patient: {"patient_id": patient.pk}, lambda _: {"kind": "invitation_letter"}, 201),
    "site-letter-batches": (site_of_overdue, lambda _: {"kind": "due_letter"}, 201),
    "letter-batch-cancel": (batch_of, lambda _: None, 200),
    "letter-batch-files": (deleted_batch_of, lambda _: None, 200),
    "review-in-error": (signed_review_of, lambda _: {"reason": "wrong patient"}, 200),
    "patient-merge": (
        lambda patient: {"patient_id": other_patient_of(patient)},
        lambda patient: {"into": str(patient.pk), "reason": "registered twice"},
        200,
    ),
    "patient-unmerge": (merged_record_of, lambda _: {"reason": "two people"}, 200),
    "exam-take-back": (submitted_exam_of, lambda _: None, 200),
    "exam-return": (submitted_exam_of, lambda _: {"reason": "left eye out of focus"}, 200),
    "exam-submit": (ready_exam_of, lambda _: None, 200),
    "image-gradings": (image_of, lambda _: {"model": "fast"}, 200),
    "grading-retry": (failed_grading_of, lambda _: None, 200),
}
"""Of each route: ids in its URL, its body, and the status of a first request."""
