"""Contacts with people in call and recall."""

from django.db.models import QuerySet

from screening.access import restrict
from screening.models import ContactAttempt, Exam, Patient, User
from screening.selectors.drafts import is_late_reader


def list_contacts(*, user: User, patient: Patient) -> QuerySet[ContactAttempt]:
    """Contacts with a person, newest first, with who recorded them."""
    rows = restrict(ContactAttempt.objects.filter(patient=patient), user)
    return rows.select_related("recorded_by").order_by("-on", "-created_at", "pk")


def may_see_next_step(*, user: User, patient: Patient) -> bool:
    """Whether the next step reveals nothing: not while ``user`` is reading an exam that a colleague has signed."""
    return bool(patient.next_step) and not Exam.objects.filter(is_late_reader(user), patient=patient).exists()
