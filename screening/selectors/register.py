"""The register of people: history of one person."""

from django.db.models import OuterRef, QuerySet, Subquery

from screening.access import restrict
from screening.models import Patient, RegisterEntry, User


def list_register_entries(*, user: User, patient: Patient) -> QuerySet[RegisterEntry]:
    """Changes of the status of a person in the register, newest first, with who recorded them."""
    rows = restrict(RegisterEntry.objects.filter(patient=patient), user)
    return rows.select_related("recorded_by").order_by("-created_at", "pk")


def with_newest_entry(people: QuerySet[Patient]) -> QuerySet[Patient]:
    """Annotate ``entry_reason``, ``entry_from_on`` and ``entry_note`` of the newest entry; null without one."""
    entries = RegisterEntry.objects.filter(patient=OuterRef("pk")).order_by("-created_at", "pk")
    return people.annotate(
        entry_reason=Subquery(entries.values("reason")[:1]),
        entry_from_on=Subquery(entries.values("from_on")[:1]),
        entry_note=Subquery(entries.values("note")[:1]),
    )
