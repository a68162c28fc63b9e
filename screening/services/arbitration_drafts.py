"""Drafts of decisions between two readers: saved while the senior reviewer types, deleted with the decision."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import ArbitrationDraft, AuditEvent, Exam, User
from screening.selectors.drafts import MAX_AGE
from screening.selectors.readings import may_arbitrate
from screening.services.audit import record_event
from screening.services.drafts import require_short
from screening.services.exams import ExamError, lock_exam


class NewerDecision(ExamError):
    """The draft was changed after this page loaded it, in another tab or on another computer."""

    def __init__(self, draft: ArbitrationDraft) -> None:
        super().__init__(_("A newer draft was saved in another tab or on another computer."))
        self.draft = draft


@transaction.atomic
def save_decision_draft(
    *, exam: Exam, entries: Mapping[str, str], page_version: str, version: int | None, by: User
) -> ArbitrationDraft:
    """Save what ``by`` entered and has not signed; only the first save of a draft is audited.

    ``version`` is that of the draft on the page, 0 if it had none; None: replace a newer draft too.
    Raises NewerDecision, AccessDenied; ExamError if a text is too long, or the exam waits for no decision of ``by``.
    """
    locked = lock_exam(exam)
    require(by, Action.ARBITRATE_EXAM, locked.site)
    if not may_arbitrate(user=by, exam=locked):
        raise ExamError(_("This exam does not wait for a decision between two readers."))
    require_short(entries)
    own, now = ArbitrationDraft.objects.filter(exam=locked, arbiter=by), timezone.now()
    own.filter(updated_at__lte=now - MAX_AGE).delete()
    draft = own.first()
    values: dict[str, Any] = {"entries": dict(entries), "page_version": page_version}
    if draft is None:
        draft = ArbitrationDraft.objects.create(exam=locked, arbiter=by, updated_at=now, **values)
        data = {"exam": str(locked.pk)}
        record_event(verb=AuditEvent.Verb.DRAFT_SAVED, subject=draft, site=locked.site, data=data, by=by)
        return draft
    if all(getattr(draft, name) == value for name, value in values.items()):
        return draft  # sent twice
    if version is not None and version != draft.version:
        raise NewerDecision(draft)
    for name, value in (values | {"version": draft.version + 1, "updated_at": now}).items():
        setattr(draft, name, value)
    draft.save()
    return draft


@transaction.atomic
def discard_decision_draft(*, exam: Exam, by: User) -> None:
    """Delete the draft at its writer's wish. Raises AccessDenied."""
    locked = lock_exam(exam)
    require(by, Action.ARBITRATE_EXAM, locked.site)
    for draft in ArbitrationDraft.objects.filter(exam=locked, arbiter=by):
        data = {"exam": str(locked.pk)}
        record_event(verb=AuditEvent.Verb.DRAFT_DISCARDED, subject=draft, site=locked.site, data=data, by=by)
        draft.delete()


def delete_decision_drafts(exam: Exam) -> None:
    """Delete the drafts of all arbiters of an exam that one of them decided. The caller records the event."""
    ArbitrationDraft.objects.filter(exam=exam).delete()


def delete_old_decision_drafts() -> int:
    """Delete drafts that were not changed for seven days. Returns how many."""
    return ArbitrationDraft.objects.filter(updated_at__lte=timezone.now() - MAX_AGE).delete()[0]
