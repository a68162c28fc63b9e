"""Drafts of readings: automatic saves, discarding, news of the exam that is being read."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import ChoiceField, Field
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.forms.readings import EyeReadingForm, EyeWithoutPhotographForm, SignForm
from screening.labels.dates import time_text
from screening.models import Exam, ReadingDraft, Review, User
from screening.selectors import (
    ReadingChange,
    get_draft,
    get_exam_of_case,
    get_reading_change,
    has_read,
    list_photos_in_use,
)
from screening.selectors.exam_locks import get_lock_of_colleague
from screening.services.drafts import AlreadyStored, NewerDraft, discard_draft, save_draft
from screening.services.exams import ExamError
from screening.views.decorators import AuthenticatedRequest
from screening.views.ended_sessions import reading_login_required
from screening.views.opened_readings import forget_reading
from screening.views.page_versions import is_of_other_scale, page_version

NEWER_DRAFT = "newer_draft"
_EYE_FORMS = (EyeReadingForm, EyeWithoutPhotographForm)


def _entry_fields() -> dict[str, list[Field]]:
    """The fields of the reading forms by the name of the entry: an eye has one form or the other."""
    fields: dict[str, list[Field]] = {name: [field] for name, field in SignForm.base_fields.items()}
    for eye in Laterality:
        for form in _EYE_FORMS:
            for name, field in form.base_fields.items():
                fields.setdefault(f"{eye}-{name}", []).append(field)
    return fields


_ENTRY_FIELDS = _entry_fields()


def posted_entries(data: Mapping[str, Any], *, more: Collection[str] = ()) -> dict[str, str]:
    """What the form holds of the reviewer's entries; a choice that the form does not offer counts as none.

    ``more``: names of texts that the form has beside those of a reading.
    """
    entries = {name: str(data[name]).replace("\x00", "") for name in more if name in data}
    for name, fields in _ENTRY_FIELDS.items():
        if name in data:
            text = str(data[name]).replace("\x00", "")  # PostgreSQL refuses NUL
            choices = [field for field in fields if isinstance(field, ChoiceField)]
            is_offered = not choices or any(field.valid_value(text) for field in choices)
            entries[name] = text if is_offered else ""
    return entries


def posted_base(data: Mapping[str, Any], exam: Exam) -> Review | None:
    """The review in force when the page was made; None: the exam was not signed then."""
    try:
        review_id = UUID(str(data.get("base_review", "")))
    except ValueError:
        return None
    return Review.objects.filter(exam=exam, pk=review_id).select_related("amends").first()


def is_first_reading(data: Mapping[str, Any]) -> bool:
    """Whether the page was made for the first reading."""
    return data.get("stage") == "first_reading"


def posted_version(data: Mapping[str, Any]) -> int:
    """The version of the draft on the page that sent the form; 0 if it had none."""
    version = str(data.get("draft_version", "0"))
    return int(version) if version.isdecimal() and len(version) < 10 else 0


def posted_draft(data: Mapping[str, Any], exam: Exam, user: User) -> ReadingDraft:
    """The posted form as a draft that is not stored."""
    return ReadingDraft(
        exam=exam,
        reviewer=user,
        entries=posted_entries(data),
        base_review=posted_base(data, exam),
        version=posted_version(data),
        page_version=str(data.get("page_version", ""))[:16],
    )


def save_posted_draft(*, exam: Exam, data: Mapping[str, Any], version: int | None, by: User) -> ReadingDraft:
    """Save the posted form as the draft of ``by``. Raises as ``save_draft``."""
    return save_draft(
        exam=exam,
        entries=posted_entries(data),
        base_review=posted_base(data, exam),
        page_version=str(data.get("page_version", ""))[:16],
        version=version,
        page_id=str(data.get("page_id", ""))[:36],
        is_first_reading=is_first_reading(data),
        by=by,
    )


@reading_login_required
@require_POST
def draft_save(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Save the form while it is filled in: JSON with the draft's version, or the reason why it is not saved (409)."""
    exam = _get_exam(request, exam_id)
    data = request.POST
    known = None if "keep" in data else posted_version(data)
    try:
        draft = save_posted_draft(exam=exam, data=data, version=known, by=request.user)
    except NewerDraft as error:
        return _news(request, exam, NEWER_DRAFT, {"version": error.draft.version}, draft=error.draft, status=409)
    except AlreadyStored as error:
        return _news(request, exam, error.change, {}, status=409)
    except ExamError as error:
        return JsonResponse({"code": "refused", "message": str(error), "notice": ""}, status=422)
    values = {"version": draft.version, "time": time_text(draft.updated_at, exam.site.zone)}
    return reading_news(request, exam, data, values)


@reading_login_required
@require_POST
def draft_discard(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Delete the draft; the page then starts from what is signed, or empty."""
    exam = _get_exam(request, exam_id)
    discard_draft(exam=exam, by=request.user)
    forget_reading(request, exam)
    messages.success(request, _("Your draft is discarded."))
    return redirect("screening:exam-review", exam_id)


@reading_login_required
@require_safe
def reading_status(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Whether a colleague signed, or a newer draft was saved, since the page was loaded; for polling."""
    exam = _get_exam(request, exam_id)
    change = _change(request, exam, request.GET)
    if change is not None:
        return _news(request, exam, change, {})
    draft = get_draft(user=request.user, exam=exam)
    if draft is not None and str(draft.version) != request.GET.get("draft_version", str(draft.version)):
        return _news(request, exam, NEWER_DRAFT, {"version": draft.version}, draft=draft)
    return _news(request, exam, None, {})


def reading_news(
    request: AuthenticatedRequest, exam: Exam, data: Mapping[str, Any], values: dict[str, Any] | None = None
) -> JsonResponse:
    """JSON for the page: what happened to the exam since then, with ``values``."""
    return _news(request, exam, _change(request, exam, data), values or {})


def _get_exam(request: AuthenticatedRequest, exam_id: UUID) -> Exam:
    exam = get_exam_of_case(user=request.user, exam_id=exam_id)
    require(request.user, Action.REVIEW_EXAM, exam.site)
    return exam


def _change(request: AuthenticatedRequest, exam: Exam, data: Mapping[str, Any]) -> ReadingChange | None:
    change = get_reading_change(
        user=request.user, exam=exam, base_review=posted_base(data, exam), is_first_reading=is_first_reading(data)
    )
    if change is None and data.get("page_version"):
        photos = list_photos_in_use(exam)
        if data["page_version"] != page_version(exam, photos):
            is_scale = is_of_other_scale(data["page_version"], exam, photos)
            return ReadingChange.SCALE_CHANGED if is_scale else ReadingChange.PHOTOS_CHANGED
    if change is None and get_lock_of_colleague(user=request.user, exam=exam) is not None:
        return ReadingChange.TAKEN
    return change


def _news(
    request: AuthenticatedRequest,
    exam: Exam,
    code: str | None,
    values: dict[str, Any],
    *,
    draft: ReadingDraft | None = None,
    status: int = 200,
) -> JsonResponse:
    """JSON for the page: ``code`` of what changed, and ``notice``, the message about it as HTML."""
    notice = ""
    if code:
        is_hidden = code == ReadingChange.SIGNED_BY_COLLEAGUE and not has_read(user=request.user, exam=exam)
        lock = get_lock_of_colleague(user=request.user, exam=exam) if code == ReadingChange.TAKEN else None
        context = {"code": str(code), "exam": exam, "draft": draft, "is_hidden": is_hidden, "lock": lock}
        notice = render_to_string("screening/reviews/_notice.html", context, request=request)
    return JsonResponse({"code": code or "", "notice": notice, **values}, status=status)
