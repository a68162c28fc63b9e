"""Reading forms that are sent after their session ended: kept on the server until the same user logs in.

The entries wait in the session of the visitor who is not logged in. A token in the form names the user who entered
them; no other user gets them back.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.csrf import csrf_failure as default_csrf_failure

from screening.models import Exam, User
from screening.selectors.drafts import MAX_AGE
from screening.services.drafts import max_entry_chars
from screening.views.decorators import AuthenticatedRequest, login_required, login_response

_SESSION_KEY = "unsaved_reading"
_SALT = "screening.reading-form"
_MAX_FIELDS = 150
"""The form has about 80 fields, most of them lesions."""
_SECRET_FIELDS = {"csrfmiddlewaretoken", "form_token"}

ReadingView = Callable[[AuthenticatedRequest, UUID], HttpResponseBase]


def form_token(user: User, exam: Exam) -> str:
    """A signed token for the reading form: who fills it in, and for which exam."""
    return signing.dumps([str(user.pk), str(exam.pk)], salt=_SALT)


def is_form_of(user: User, exam_id: UUID, data: Mapping[str, str]) -> bool:
    """Whether the page with this form was made for ``user``: another one may have logged in since then."""
    return _owner_of(data) == (str(user.pk), str(exam_id))


def _owner_of(data: Mapping[str, str]) -> tuple[str, str] | None:
    """Ids of the user and the exam in the token of a form; None if the token is not valid."""
    try:
        user_id, exam_id = signing.loads(data.get("form_token", ""), salt=_SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return None
    return user_id, exam_id


def reading_login_required(view: ReadingView) -> Callable[[HttpRequest, UUID], HttpResponseBase]:
    """Require a login for a step of the reading; the log-in leads back to the reading page, with the entries.

    An address of a step that is opened without a form leads to the reading page too.
    """
    checked = login_required(view)

    @wraps(view)
    def wrapper(request: HttpRequest, /, exam_id: UUID) -> HttpResponseBase:
        if request.user.is_authenticated:
            return checked(request, exam_id)
        is_kept = request.method == "POST" and _keep_form(request, exam_id)
        return login_response(request, return_to=reverse("screening:exam-review", args=[exam_id]), is_kept=is_kept)

    return wrapper


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Django's ``CSRF_FAILURE_VIEW``: a reading form that lost its cookies is kept until the log-in, as others are."""
    match = request.resolver_match
    exam_id = match.kwargs.get("exam_id") if match else None
    if exam_id is not None and not request.user.is_authenticated and _keep_form(request, exam_id):
        return login_response(request, return_to=reverse("screening:exam-review", args=[exam_id]), is_kept=True)
    return default_csrf_failure(request, reason)


def redirect_without_form(view: ReadingView) -> ReadingView:
    """Lead to the reading page if the address of a step is opened without a form, for example after a log-in."""

    @wraps(view)
    def wrapper(request: AuthenticatedRequest, /, exam_id: UUID) -> HttpResponseBase:
        if request.method in {"GET", "HEAD"}:
            return redirect("screening:exam-review", exam_id)
        return view(request, exam_id)

    return wrapper


def _keep_form(request: HttpRequest, exam_id: UUID) -> bool:
    owner = _owner_of(request.POST)
    if owner is None:
        return False
    user_id, exam = owner
    fields = {name: text for name, text in request.POST.items() if name not in _SECRET_FIELDS}
    is_small = len(fields) <= _MAX_FIELDS and all(
        len(str(text)) <= max_entry_chars(name) for name, text in fields.items()
    )
    if exam != str(exam_id) or not is_small:
        return False
    request.session[_SESSION_KEY] = {"user": user_id, "exam": exam, "fields": fields}
    return True


def keep_form(request: AuthenticatedRequest, exam_id: UUID, fields: dict[str, Any]) -> None:
    """Keep a form of this user that ``take_kept_form`` returned, if no page can show it yet."""
    request.session[_SESSION_KEY] = {"user": str(request.user.pk), "exam": str(exam_id), "fields": fields}


def take_kept_form(request: AuthenticatedRequest, exam_id: UUID) -> dict[str, Any] | None:
    """The form that this user sent for this exam after the session had ended; it is forgotten then."""
    kept = request.session.get(_SESSION_KEY)
    if kept is None:
        return None
    if kept["user"] == str(request.user.pk) and kept["exam"] != str(exam_id):
        return None
    del request.session[_SESSION_KEY]
    return dict(kept["fields"]) if kept["user"] == str(request.user.pk) else None
