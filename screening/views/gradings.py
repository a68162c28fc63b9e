"""Gradings: retry of a failed one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from screening.selectors import get_grading
from screening.services.gradings import GradingNotFailed, retry_grading
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_POST
def grading_retry(request: AuthenticatedRequest, grading_id: UUID) -> HttpResponseBase:
    """Queue a failed grading again."""
    grading = get_grading(user=request.user, grading_id=grading_id)
    try:
        retry_grading(grading=grading, by=request.user)
    except GradingNotFailed as error:
        messages.info(request, str(error))
    else:
        messages.success(request, _("The photograph is being graded again."))
    return redirect("screening:exam-detail", grading.image.exam_id)
