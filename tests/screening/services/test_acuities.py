"""Visual acuity at a visit."""

import pytest

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Site, User, VisualAcuity
from screening.policy.acuity import Correction
from screening.services.acuities import newest_acuity, record_acuity
from screening.services.exams import ExamError, mark_eye_absent
from tests.screening.factories import ExamFactory

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT


@pytest.fixture
def exam(site: Site) -> Exam:
    exam: Exam = ExamFactory(patient__site=site)
    return exam


def test_the_newest_acuity_counts_and_every_one_is_kept(exam: Exam, photographer: User, reviewer: User) -> None:
    record_acuity(exam=exam, laterality=RIGHT, entered="6/12", correction=Correction.GLASSES, by=photographer)
    record_acuity(exam=exam, laterality=RIGHT, entered=" 20/20 ", by=reviewer)
    assert (newest_acuity(exam, RIGHT), newest_acuity(exam, LEFT)) == (0.0, None)
    assert sorted(VisualAcuity.objects.values_list("entered", "correction")) == [("20/20", ""), ("6/12", "glasses")]
    event = AuditEvent.objects.filter(verb="acuity.recorded").latest("pk")
    assert event.data == {"exam": str(exam.pk), "laterality": "OD"}


def test_the_same_acuity_again_is_one_row(exam: Exam, photographer: User) -> None:
    rows = {record_acuity(exam=exam, laterality=LEFT, entered="CF", by=photographer).pk for _ in range(2)}
    assert len(rows) == VisualAcuity.objects.count() == 1


@pytest.mark.parametrize("entered", ["", "blurred", "6/0", "6/12" * 10])
def test_what_is_no_acuity_is_refused_with_examples(exam: Exam, photographer: User, entered: str) -> None:
    with pytest.raises(ExamError, match="6/12, 20/40"):
        record_acuity(exam=exam, laterality=RIGHT, entered=entered, by=photographer)
    assert not VisualAcuity.objects.exists()


def test_an_absent_eye_and_another_site_have_none(exam: Exam, photographer: User, outsider: User) -> None:
    with pytest.raises(AccessDenied):
        record_acuity(exam=exam, laterality=RIGHT, entered="6/6", by=outsider)
    mark_eye_absent(exam=exam, laterality=RIGHT, reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="absent"):
        record_acuity(exam=exam, laterality=RIGHT, entered="6/6", by=photographer)
