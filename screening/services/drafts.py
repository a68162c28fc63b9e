"""Drafts of readings: saved while the reviewer types, deleted on signing or after a week."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.limits import too_long
from screening.labels.marks import marks_too_long
from screening.models import AuditEvent, Exam, ReadingDraft, Review, User
from screening.policy.marks import MAX_MARKS_CHARS
from screening.selectors.drafts import MAX_AGE
from screening.selectors.reading_state import ReadingChange, get_reading_change
from screening.services.audit import record_event
from screening.services.exam_locks import hold_if_free
from screening.services.exams import ExamError, lock_exam

MAX_ENTRY_CHARS = 4000
"""Twice the longest text that can be signed: a longer one is kept until its writer shortens it."""
MARKS_SUFFIX = "-marks"
"""Of the names of entries that hold the marks of an eye."""
PHOTO_SUFFIXES = (MARKS_SUFFIX, "-landmarks")
"""Of the names of entries that hold what was drawn on photographs."""


def max_entry_chars(name: str) -> int:
    """The limit of an entry with this name, in characters."""
    return MAX_MARKS_CHARS if name.endswith(MARKS_SUFFIX) else MAX_ENTRY_CHARS


class NewerDraft(ExamError):
    """The draft was changed after this page loaded it, in another tab or on another computer."""

    def __init__(self, draft: ReadingDraft) -> None:
        super().__init__(_("A newer draft was saved in another tab or on another computer."))
        self.draft = draft


class AlreadyStored(ExamError):
    """The same user stored this reading, or signed the exam, after the page was loaded: it is no draft any more."""

    def __init__(self, change: ReadingChange) -> None:
        super().__init__(_("You saved or signed this reading in another tab or on another computer."))
        self.change = change


def require_short(entries: Mapping[str, str]) -> None:
    """Raises ExamError if a text is too long to be kept."""
    for name, text in entries.items():
        if len(text) > max_entry_chars(name):
            raise ExamError(marks_too_long() if name.endswith(MARKS_SUFFIX) else too_long(MAX_ENTRY_CHARS))


@transaction.atomic
def save_draft(
    *,
    exam: Exam,
    entries: Mapping[str, str],
    base_review: Review | None,
    page_version: str,
    version: int | None,
    page_id: str = "",
    is_first_reading: bool = False,
    by: User,
) -> ReadingDraft:
    """Save what ``by`` entered and has not signed; only the first save of a draft is audited.

    It counts as activity: ``by`` keeps the exam for longer, or takes it again if it is free.

    ``version`` is that of the draft on the page, 0 if it had none; None: replace a newer draft too. A draft without
    entries is always replaced. ``page_id`` names
    the page: one that got no answer to its last save replaces its own entries.
    ``is_first_reading``: the page was opened for the first reading.
    Raises NewerDraft, AlreadyStored, ExamError if a text is too long, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    require_short(entries)
    change = get_reading_change(user=by, exam=locked, base_review=base_review, is_first_reading=is_first_reading)
    if change in {ReadingChange.SIGNED_BY_YOU, ReadingChange.FIRST_READING_STORED}:
        raise AlreadyStored(change)
    hold_if_free(locked, by)
    now = timezone.now()
    own = ReadingDraft.objects.filter(exam=locked, reviewer=by)
    own.filter(updated_at__lte=now - MAX_AGE).delete()
    draft = own.first()
    values: dict[str, Any] = {"entries": dict(entries), "base_review": base_review, "page_version": page_version}
    values["reading_round"] = locked.reading_round
    if draft is None:
        draft = ReadingDraft.objects.create(exam=locked, reviewer=by, updated_at=now, page_id=page_id, **values)
        _record(AuditEvent.Verb.DRAFT_SAVED, draft, by)
        return draft
    if all(getattr(draft, name) == value for name, value in values.items()):
        return draft  # sent twice
    is_same_page = bool(page_id) and page_id == draft.page_id
    if version is not None and version != draft.version and not is_same_page and draft.entries:
        raise NewerDraft(draft)
    values |= {"version": draft.version + 1, "page_id": page_id, "updated_at": now}
    for name, value in values.items():
        setattr(draft, name, value)
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, exam: Exam, by: User) -> None:
    """Delete the draft at its writer's wish. Raises AccessDenied."""
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    for draft in ReadingDraft.objects.filter(exam=locked, reviewer=by):
        _record(AuditEvent.Verb.DRAFT_DISCARDED, draft, by)
        draft.delete()


def delete_draft(exam: Exam, by: User) -> None:
    """Delete the draft of a reading that is signed. The caller records the event of the signature."""
    ReadingDraft.objects.filter(exam=exam, reviewer=by).delete()


def drop_stored_findings(exam: Exam, by: User) -> None:
    """Keep of the draft only the note, after the findings were stored as a first reading.

    The row stays, so that the automatic saves of the whole reading are one audit event.
    """
    for draft in ReadingDraft.objects.filter(exam=exam, reviewer=by):
        note = draft.entries.get("note", "").strip()
        draft.entries = {"note": note} if note else {}
        newest = Review.objects.filter(exam=exam, reading_round=exam.reading_round).order_by("-signed_at")
        draft.base_review = newest.first()
        draft.version += 1
        draft.save()


def delete_old_drafts() -> int:
    """Delete drafts that were not changed for seven days. Returns how many."""
    return ReadingDraft.objects.filter(updated_at__lte=timezone.now() - MAX_AGE).delete()[0]


def _record(verb: AuditEvent.Verb, draft: ReadingDraft, by: User) -> None:
    exam = draft.exam
    record_event(verb=verb, subject=draft, site=exam.site, data={"exam": str(exam.pk)}, by=by)
