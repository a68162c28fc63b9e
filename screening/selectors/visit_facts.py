"""What is known and what is missing of the facts of a visit."""

from ml.vocabulary import Laterality
from screening.models import Exam, Patient, VisitFacts, VisualAcuity


def visit_facts_of(exam: Exam) -> VisitFacts | None:
    """The facts of an exam; None if none are recorded."""
    return VisitFacts.objects.filter(exam=exam).first()


def missing_facts(exam: Exam, facts: VisitFacts | None) -> list[str]:
    """Keys of REQUIRABLE_FACTS that the site requires and that are not recorded, in that order."""
    patient, known = exam.patient, facts or VisitFacts()
    has_begin = patient.diabetes_type != Patient.DiabetesType.UNKNOWN and patient.diabetes_since_year is not None
    eyes = {"right": known.right_eye_treatments, "left": known.left_eye_treatments}
    has_each_eye = all(
        treatments is not None or getattr(exam, f"{eye}_eye_absent_reason") for eye, treatments in eyes.items()
    )
    is_recorded = {
        "acuity": "acuity" not in exam.site.required_facts or _has_each_acuity(exam),
        "hba1c": known.hba1c is not None,
        "diabetes": has_begin,
        "treatment": bool(known.treatment),
        "pregnancy": known.is_pregnant is not None or patient.sex == Patient.Sex.MALE,
        "eye_treatments": has_each_eye,
        "consent": bool(known.consent),
    }
    return [name for name, is_done in is_recorded.items() if name in exam.site.required_facts and not is_done]


def _has_each_acuity(exam: Exam) -> bool:
    measured = set(VisualAcuity.objects.filter(exam=exam).order_by().values_list("laterality", flat=True))
    return all(eye in measured or exam.absent_reason(eye) for eye in Laterality)
