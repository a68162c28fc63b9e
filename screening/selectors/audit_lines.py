"""Lines of the audit page and its export: who did what, as a sentence, with patient, exam and details in words."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.access import restrict
from screening.labels.audit import event_sentence
from screening.labels.grades import GRADE_LABELS
from screening.labels.referrals import STATE_LABELS
from screening.models import AuditEvent, Document, Exam, EyeFinding, Patient, Review, User
from screening.policy.referrals import ReferralState
from screening.selectors.audited_records import records_of_events

Verb = AuditEvent.Verb
_SIGNED = (Verb.REVIEW_SIGNED, Verb.REVIEW_AMENDED)
_WITH_ROUTE = (Verb.LIST_VIEWED, Verb.RECORD_VIEWED, Verb.ACCESS_REFUSED, Verb.PAGE_PRINTED)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An event in words. ``details`` is empty if there is nothing to add to the sentence."""

    event: AuditEvent
    sentence: str
    details: str
    patient: Patient | None
    exam: Exam | None


def lines_of_events(events: Collection[AuditEvent], *, user: User) -> list[AuditLine]:
    """A line for each event; eight queries at most for any number of events."""
    records = records_of_events(events, user=user)
    texts = _texts_of_reviews(events, user) | _kinds_of_documents(events, user)
    return [
        AuditLine(
            event=event,
            sentence=event_sentence(event.verb, _who(event)),
            details=texts.get(event.object_id) or _details(event),
            patient=record.patient,
            exam=record.exam,
        )
        for event, record in zip(events, records, strict=True)
    ]


def _who(event: AuditEvent) -> str:
    if event.actor is not None:
        return str(event.actor)
    is_task = event.purpose == AuditEvent.Purpose.SYSTEM
    return _("The system") if is_task else _("A person who was not logged in")


def _texts_of_reviews(events: Collection[AuditEvent], user: User) -> dict[str, str]:
    """What was signed, by the id of the review. NB: events of reviews that are hidden from ``user`` are not given."""
    ids = _object_ids(events, _SIGNED)
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality"))
    rows = restrict(Review.objects.filter(pk__in=ids), user).prefetch_related(findings) if ids else ()
    return {str(row.pk): _text_of_review(row) for row in rows}


def _text_of_review(review: Review) -> str:
    eyes = [f"{one.laterality} {_grade(one)}" for one in review.findings.all()]
    return " · ".join([*eyes, str(review.get_outcome_display())])


def _grade(finding: EyeFinding) -> str:
    if finding.is_absent:
        return _("Eye is absent")
    if not finding.is_gradable:
        return _("Ungradable") if finding.is_photographed else _("Not photographed")
    return finding.grades_in_scale or str(GRADE_LABELS[finding.grade or 0])


def _kinds_of_documents(events: Collection[AuditEvent], user: User) -> dict[str, str]:
    ids = _object_ids(events, [verb for verb in Verb if verb.startswith("document.")])
    rows = restrict(Document.objects.filter(pk__in=ids), user) if ids else ()
    return {str(row.pk): str(row.get_kind_display()) for row in rows}


def _object_ids(events: Collection[AuditEvent], verbs: Collection[Verb]) -> list[uuid.UUID]:
    return [uuid.UUID(event.object_id) for event in events if event.verb in verbs and event.object_id]


def _details(event: AuditEvent) -> str:
    data: dict[str, Any] = event.data
    texts = []
    if event.verb == Verb.REFERRAL_CHANGED and data.get("state") in list(ReferralState):
        texts.append(str(STATE_LABELS[ReferralState(data["state"])]))
    if event.verb == Verb.LIST_EXPORTED:
        texts += [str(data.get(name, "")) for name in ("list", "format", "filters")]
    if event.verb in _WITH_ROUTE:
        texts.append(str(data.get("route", "")).partition(":")[2])
    if "laterality" in data:
        texts.append(str(data["laterality"]))
    if isinstance(data.get("n_found"), int):
        texts.append(ngettext("%(n)d row", "%(n)d rows", data["n_found"]) % {"n": data["n_found"]})
    return " · ".join(filter(None, texts))
