"""Outcome tables, exams and reviews for tests, and a service that stores a table."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, Review, Site, SiteOutcomeTable, User
from screening.policy import GradingScale, MacularOedema, OutcomeTable, default_table
from screening.services.outcome_tables import save_table
from screening.services.reviews import Finding, sign_review
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    PatientFactory,
    ReviewFactory,
)

ICDR = GradingScale.ICDR
TODAY = datetime.date(2026, 11, 27)
NOW = datetime.datetime(2026, 11, 27, 12, 0, tzinfo=datetime.UTC)
Save = Callable[..., SiteOutcomeTable]


def saving(site: Site, manager: User) -> Save:
    """Stores the built-in table as version 1 of the site; keywords change the arguments."""

    def call(table: OutcomeTable | None = None, **changes: Any) -> SiteOutcomeTable:
        values = {"valid_from": TODAY, "reason": "Local agreement", "base_number": 0, "by": manager}
        return save_table(**{"site": site, "table": table or default_table(ICDR), **values, **changes})

    return call


def with_months(code: str, months: int) -> OutcomeTable:
    table = default_table(ICDR)
    return replace(table, rules=tuple(replace(r, months=months) if r.code == code else r for r in table.rules))


def finding(eye: Laterality, grade: int, **more: Any) -> Finding:
    return Finding(laterality=eye, grade=ICDRGrade(grade), macular_oedema=MacularOedema.NONE, **more)


def new_exam(site: Site, **changes: Any) -> Exam:
    exam: Exam = ExamFactory(**{"patient": PatientFactory(site=site), "is_submitted": True, **changes})
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def sign(exam: Exam, by: User, grade: int = 0, **changes: Any) -> Review:
    findings = {eye: finding(eye, grade) for eye in Laterality}
    return sign_review(**{"exam": exam, "findings": findings, "by": by, **changes})


def signed_result(exam: Exam, *, grade: int = 0, **changes: Any) -> Review:
    """A stored result of both eyes, without the services."""
    Exam.objects.filter(pk=exam.pk).update(status=Exam.Status.SIGNED)
    review: Review = ReviewFactory(exam=exam, **changes)
    for eye in Laterality:
        EyeFindingFactory(review=review, laterality=eye, grade=grade)
    return review
