"""Corrections in the histories of exams and patients."""

from django.db.models import Q, QuerySet

from screening.models import Correction, Exam, Patient

MAX_CORRECTIONS = 50
"""Newest corrections that a page shows."""


def corrections_of_exam(exam: Exam) -> QuerySet[Correction]:
    """Newest corrections of an exam that the user may see."""
    return _newest(Q(exam=exam) | Q(to_exam=exam))


def corrections_of_patient(patient: Patient) -> QuerySet[Correction]:
    """Newest corrections of a patient that the user may see, and of the patient's exams. A merge is one row."""
    concerned = Q(from_patient=patient) | Q(to_patient=patient) | Q(exam__patient=patient)
    is_of_merge = Q(kind__in=[Correction.Kind.PATIENTS_MERGED, Correction.Kind.PATIENTS_UNMERGED], exam__isnull=False)
    return _newest(concerned & ~is_of_merge)


def _newest(concerned: Q) -> QuerySet[Correction]:
    rows = Correction.objects.filter(concerned)
    return rows.select_related("exam", "to_exam", "image", "from_patient", "to_patient", "made_by").order_by(
        "-created_at", "pk"
    )[:MAX_CORRECTIONS]
