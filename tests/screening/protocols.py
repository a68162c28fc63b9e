"""Readings of several persons in few words."""

from typing import Any

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, Membership, Reading, Review, Site, SiteProtocol, User
from screening.policy import MacularOedema
from screening.services.readings import sign_findings
from screening.services.reviews import Finding, record_first_readings
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory

Findings = dict[Laterality, Finding]


def use_protocol(site: Site, kind: str = "double_all", **values: Any) -> SiteProtocol:
    """A version of the protocol, stored by a new manager, with a senior reviewer of the site."""
    manager = MembershipFactory(site=site, role=Membership.Role.MANAGER).user
    number = SiteProtocol.objects.filter(site=site).count() + 1
    row: SiteProtocol = SiteProtocol.objects.create(
        site=site, number=number, kind=kind, reason="Rules", created_by=manager, **values
    )
    return row


def reader_of(site: Site, role: str = "reviewer", **values: Any) -> User:
    """A new person with a role."""
    user: User = MembershipFactory(site=site, role=role, **values).user
    return user


def waiting_exam(site: Site, *grades: int) -> Exam:
    """An exam that waits for a reader, with a photograph of each eye, graded if ``grades`` are given."""
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye, grade in zip(Laterality, grades or (None, None), strict=True):
        image = FundusImageFactory(exam=exam, laterality=eye)
        if grade is not None:
            GradingFactory(image=image, is_done=True, grade=grade)
    exam.refresh_from_db()
    return exam


def found(right: int | None = 0, left: int | None = 0, oedema: str = "none", **more: Any) -> Findings:
    """Findings of both eyes."""
    return {
        eye: Finding(
            laterality=eye,
            is_gradable=grade is not None,
            grade=None if grade is None else ICDRGrade(grade),
            macular_oedema=MacularOedema(oedema),
            **more,
        )
        for eye, grade in zip(Laterality, (right, left), strict=True)
    }


def sign(exam: Exam, by: User, findings: Findings | None = None, **more: Any) -> Review | Reading:
    """Store the own reading first, as the page does, then sign the same findings."""
    chosen = found() if findings is None else findings
    record_first_readings(exam=exam, findings=chosen, by=by)
    return sign_findings(exam=exam, findings=chosen, by=by, **more)
