"""The reading page of the next free exam and its photographs, loaded in advance by ``static/next_exam.js``."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from screening.access import Action, require
from screening.models import AuditEvent
from screening.selectors import get_case
from screening.selectors.exam_locks import free_exams
from screening.selectors.repeats import hide_result
from screening.services.audit import record_event
from screening.services.repeats import next_repeat
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.ended_sessions import form_token
from screening.views.review_page import panel_of
from screening.views.review_photos import best_first
from screening.views.worklist import filters_of_next_exam

HEADER = "X-Prefetch"


def is_prefetch(request: HttpRequest) -> bool:
    """Whether the browser loads the response in advance, so that no person sees it yet."""
    return request.headers.get(HEADER) == "yes" or "prefetch" in request.headers.get("Sec-Purpose", "")


@login_required
@require_safe
def exam_prefetch(request: AuthenticatedRequest) -> HttpResponseBase:
    """JSON with the addresses of the reading page of the next free exam, and of the photographs that it shows first.

    ``opening`` is what ``exam_lock`` needs to open that page: the script sends it before the page is displayed.

    It takes no exam: a colleague may take it before. Nothing in the response depends on a grade that is hidden. A
    repeat has the response of an unread exam.
    """
    require(request.user, Action.REVIEW_EXAM)
    filters = filters_of_next_exam(request)
    repeat = next_repeat(filters=filters, by=request.user)
    exam = repeat.exam if repeat else free_exams(user=request.user, filters=filters).first()
    if exam is None:
        return JsonResponse({"page": "", "photos": [], "lock": "", "opening": {}})
    detail = get_case(user=request.user, exam_id=exam.pk)
    detail = hide_result(detail, repeat) if repeat else detail
    record_event(verb=AuditEvent.Verb.EXAM_PREFETCHED, subject=exam, site=exam.site, by=request.user)
    shown = [one.image.pk for eye in detail.eyes for one in best_first(eye.images)[:1]]
    photos = [reverse("screening:image-screen", args=[pk]) for pk in shown]
    page, lock = (reverse(f"screening:{name}", args=[exam.pk]) for name in ("exam-review", "exam-lock"))
    panel = panel_of(request.user, detail)
    opening = {
        "page_version": panel.page_version,
        "base_review": str(panel.base_review.pk) if panel.base_review else "",
        "stage": panel.stage,
        "form_token": form_token(request.user, exam),
    }
    return JsonResponse({"page": page, "photos": photos, "lock": lock, "opening": opening})
