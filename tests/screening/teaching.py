"""Teaching sets in few words."""

from typing import Any

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, FundusImage, Site, TeachingCase, TeachingReading, TeachingSet, User
from screening.policy import MacularOedema
from screening.services.structured_findings import Finding
from screening.services.teaching import add_teaching_case, create_teaching_set, record_teaching_readings
from screening.services.teaching_certificates import issue_certificate
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
)


def signed_exam(
    site: Site, *, grades: dict[str, int | None] | None = None, person: dict[str, str] | None = None
) -> Exam:
    """A signed exam with a photograph of each eye, or of those of ``grades``."""
    exam: Exam = ExamFactory(
        patient=PatientFactory(site=site, **(person or {})), is_submitted=True, status=Exam.Status.SIGNED.value
    )
    review = ReviewFactory(exam=exam, note="A note about the person")
    for eye, grade in (grades or {"OD": 2, "OS": 0}).items():
        image: FundusImage = FundusImageFactory(exam=exam, laterality=eye)
        GradingFactory(image=image, is_done=True)
        EyeFindingFactory(
            review=review, laterality=eye, grade=grade, is_gradable=grade is not None, lesions={"haemorrhages": 1}
        )
    return exam


def teaching_set(manager: User, exams: list[Exam], **changes: Any) -> TeachingSet:
    """A set with these exams, of the site of the first one."""
    values = {"site": exams[0].site, "name": "Course", "note": "", "shows_truth": "each", "by": manager, **changes}
    created = create_teaching_set(**values)
    for exam in exams:
        add_teaching_case(teaching_set=created, exam=exam, by=manager)
    return created


def read_case(case: TeachingCase, by: User, *, grade: int | None = 2) -> list[TeachingReading]:
    """Grade each eye alike."""
    known = None if grade is None else ICDRGrade(grade)
    findings = {
        Laterality(eye): Finding(
            laterality=Laterality(eye), is_gradable=known is not None, grade=known, macular_oedema=MacularOedema.NONE
        )
        for eye in case.truth
    }
    return record_teaching_readings(case=case, findings=findings, by=by)


def teaching_records(site: Site) -> dict[str, Any]:
    """Keyword arguments of the routes of teaching: a set with an exam to read, and a certificate of another reader."""
    manager, reader = (MembershipFactory(site=site, role=role).user for role in ("manager", "trainee"))
    created = teaching_set(manager, [signed_exam(site)], name="Records")
    case = created.cases.get()
    read_case(case, reader)
    certificate = issue_certificate(teaching_set=created, by=reader)
    return {"set_id": created.pk, "case_id": case.pk, "certificate_id": certificate.pk}
