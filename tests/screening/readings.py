"""First readings in few words."""

from typing import Any

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, FirstReading, User
from screening.policy import MacularOedema
from screening.services.reviews import record_first_reading
from screening.services.structured_findings import Finding


def read_eye(
    *, exam: Exam, laterality: str, grade: int | None, macular_oedema: str = "unknown", by: User, **more: Any
) -> FirstReading:
    """Record a first reading of one eye."""
    known = None if grade is None else ICDRGrade(grade)
    oedema = MacularOedema(macular_oedema)
    finding = Finding(laterality=Laterality(laterality), grade=known, macular_oedema=oedema, **more)
    return record_first_reading(exam=exam, finding=finding, by=by)
