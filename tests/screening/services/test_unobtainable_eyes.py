"""Eyes of which no gradable photograph can be obtained."""

from io import BytesIO

import pytest

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Site, User
from screening.policy import MacularOedema, Outcome, Urgency
from screening.services.exams import ExamError, ExamNotOpen, FieldsMissing, mark_eye_absent, submit_exam
from screening.services.images import attach_image
from screening.services.reviews import sign_review
from screening.services.structured_findings import Finding
from screening.services.unobtainable_eyes import mark_eye_unobtainable
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory

LEFT, RIGHT = Laterality.LEFT, Laterality.RIGHT
HEALTHY = Finding(laterality=RIGHT, grade=ICDRGrade.NONE, macular_oedema=MacularOedema.NONE)


@pytest.fixture
def exam(site: Site) -> Exam:
    """The right eye is photographed; the left eye has three photographs that are not gradable."""
    exam = ExamFactory(patient=PatientFactory(site=site))
    GradingFactory(image=FundusImageFactory(exam=exam, laterality=RIGHT), is_done=True, grade=0)
    for _ in range(3):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=LEFT), is_ungradable=True)
    return exam


def record(exam: Exam, by: User, code: str = "cataract", reason: str = "") -> Exam:
    return mark_eye_unobtainable(exam=exam, laterality=LEFT, code=code, reason=reason, by=by)


def test_an_eye_that_is_not_obtainable_is_referred_for_slit_lamp_examination(
    exam: Exam, photographer: User, reviewer: User
) -> None:
    assert record(exam, photographer).unobtainable_text(LEFT) == "Cataract or another opacity"
    event = AuditEvent.objects.get(verb="exam.eye_unobtainable")
    assert event.data == {"laterality": "OS", "code": "cataract"}
    submitted = submit_exam(exam=exam, by=photographer)
    findings = {RIGHT: HEALTHY, LEFT: Finding(laterality=LEFT, is_gradable=False)}
    review = sign_review(exam=submitted, findings=findings, by=reviewer)
    assert (review.outcome, review.urgency) == (Outcome.REFER_SLIT_LAMP, Urgency.SOON)
    assert not review.findings.get(laterality=LEFT).is_absent


def test_the_record_counts_although_photographs_are_withdrawn_as_of_the_wrong_eye(
    exam: Exam, photographer: User, reviewer: User
) -> None:
    record(exam, photographer)
    exam.images.filter(laterality=LEFT).update(withdrawn_at=exam.created_at, withdrawn_code="wrong_eye")
    submitted = submit_exam(exam=exam, by=photographer)
    findings = {RIGHT: HEALTHY, LEFT: Finding(laterality=LEFT, is_photographed=False)}
    assert sign_review(exam=submitted, findings=findings, by=reviewer).outcome == Outcome.REFER_SLIT_LAMP


def test_another_reason_needs_words_and_an_empty_code_deletes_the_record(exam: Exam, photographer: User) -> None:
    with pytest.raises(ExamError, match="Enter in words"):
        record(exam, photographer, "other", "  ")
    with pytest.raises(ExamError, match="at most 200"):
        record(exam, photographer, "other", "x" * 201)
    assert record(exam, photographer, "other", "Nystagmus").unobtainable_text(LEFT) == "Nystagmus"
    assert record(exam, photographer, "small_pupil", "Nystagmus").left_eye_unobtainable_reason == ""
    assert record(exam, photographer, "").unobtainable_text(LEFT) == ""


def test_it_takes_three_refused_photographs(exam: Exam, photographer: User) -> None:
    image = exam.images.filter(laterality=LEFT)[0]
    image.gradings.all().delete()
    with pytest.raises(ExamError, match="Take 1 more photograph"):
        record(exam, photographer)
    GradingFactory(image=image, is_ungradable=True)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality=LEFT))
    with pytest.raises(ExamError, match="still being checked"):
        record(exam, photographer)


def test_it_is_not_an_absent_eye_and_needs_an_open_exam(exam: Exam, photographer: User, reviewer: User) -> None:
    with pytest.raises(AccessDenied):
        record(exam, reviewer)
    exam.images.filter(laterality=LEFT).update(withdrawn_at=exam.created_at, withdrawn_code="poor_quality")
    mark_eye_absent(exam=exam, laterality=LEFT, reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="absent"):
        record(exam, photographer)
    Exam.objects.update(status=Exam.Status.CANCELLED)
    with pytest.raises(ExamNotOpen):
        record(exam, photographer)


@pytest.mark.django_db(transaction=True)
def test_a_further_photograph_deletes_the_record(exam: Exam, photographer: User) -> None:
    record(exam, photographer, "other", "Nystagmus")
    image = attach_image(exam=exam, upload=BytesIO(photo_bytes()), laterality=LEFT, pupil="dilated", by=photographer)
    exam.refresh_from_db()
    assert (exam.left_eye_unobtainable, exam.left_eye_unobtainable_reason, image.pupil) == ("", "", "dilated")


def test_a_missing_field_that_the_site_requires_is_confirmed(exam: Exam, photographer: User) -> None:
    Site.objects.update(requires_optic_disc=True)
    exam.site.refresh_from_db()
    record(exam, photographer)  # of that eye nothing is asked
    with pytest.raises(FieldsMissing, match=r"missing: Right eye: Disc-centred\."):
        submit_exam(exam=exam, by=photographer)
    submit_exam(exam=exam, confirmed=["fields_missing"], by=photographer)
    assert AuditEvent.objects.get(verb="exam.submitted").data == {"fields_missing": 1}


def test_a_site_may_require_no_field(exam: Exam, photographer: User) -> None:
    Site.objects.update(requires_macula=False)
    exam.images.update(field="other")
    assert submit_exam(exam=exam, by=photographer).status == Exam.Status.SUBMITTED
