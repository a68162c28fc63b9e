"""Teaching sets: the list, one set with the progress of its reader, changes by a manager."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from screening.access import Action, can, require, sites_for
from screening.forms import error_text
from screening.forms.teaching import TeachingCaseForm, TeachingSetForm
from screening.models import TeachingSet
from screening.selectors import get_exam
from screening.selectors.teaching import (
    get_managed_case,
    get_progress,
    get_teaching_set,
    list_cases,
    list_certificates,
    list_managed_sets,
    list_teaching_sets,
)
from screening.services.teaching import (
    TeachingError,
    add_teaching_case,
    archive_teaching_set,
    create_teaching_set,
    remove_teaching_case,
)
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25
SECTION = "teaching"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def teaching_sets(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sets of the user's sites; a manager adds one."""
    require_parameters(request, known={"page"})
    require(request.user, Action.VIEW_TEACHING_SET)
    sites = sites_for(request.user, Action.MANAGE_SITE)
    form = TeachingSetForm(request.POST or None, sites=sites)
    if request.method == "POST":
        require(request.user, Action.MANAGE_SITE)
        if form.is_valid():
            try:
                created = create_teaching_set(**form.cleaned_data, by=request.user)
            except TeachingError as error:
                form.add_error("name", str(error))
            else:
                return redirect("screening:teaching-set", created.pk)
    page = Paginator(list_teaching_sets(user=request.user), PER_PAGE).get_page(page_number(request))
    context = {"section": SECTION, "page": page, "form": form, "may_manage": can(request.user, Action.MANAGE_SITE)}
    return render(request, "screening/teaching/list.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def teaching_set(request: AuthenticatedRequest, set_id: UUID) -> HttpResponseBase:
    """One set: the progress of its reader, its certificates; for a manager its exams."""
    require_parameters(request, known={"page"})
    found = get_teaching_set(user=request.user, set_id=set_id)
    may_manage = can(request.user, Action.MANAGE_SITE, found.site)
    may_read = can(request.user, Action.READ_TEACHING_SET, found.site) and found.archived_at is None
    progress = get_progress(found, request.user)
    context = {
        "section": SECTION,
        "set": found,
        "may_manage": may_manage,
        "may_read": may_read,
        "progress": progress,
        "shows_truth": not may_read or progress.next_case is None,  # a manager may be a reader too, who reads blind
        "certificates": list_certificates(user=request.user).filter(teaching_set=found)[:PER_PAGE],
    }
    if may_manage:
        context["page"] = Paginator(list_cases(found), PER_PAGE).get_page(page_number(request))
    return render(request, "screening/teaching/set.html", context)


@login_required
@require_POST
def teaching_set_archive(request: AuthenticatedRequest, set_id: UUID) -> HttpResponseBase:
    """Take a set out of use, or back into use."""
    found = get_teaching_set(user=request.user, set_id=set_id)
    archive_teaching_set(teaching_set=found, is_archived=found.archived_at is None, by=request.user)
    text = (
        _("The set is archived. Its certificates stay.") if found.archived_at is None else _("The set is in use again.")
    )
    messages.success(request, text)
    return redirect("screening:teaching-set", set_id)


@login_required
@require_POST
def exam_teaching(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Add a signed exam to a set."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    require(request.user, Action.MANAGE_SITE, exam.site)
    form = TeachingCaseForm(request.POST)
    if not form.is_valid():
        messages.error(request, error_text(form))
        return redirect("screening:exam-detail", exam_id)
    sets = list_managed_sets(user=request.user, site=exam.site)
    chosen: TeachingSet = get_object_or_404(sets, pk=form.cleaned_data["set"])
    try:
        add_teaching_case(teaching_set=chosen, exam=exam, by=request.user)
    except TeachingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The exam is in the teaching set “%(name)s”.") % {"name": chosen.name})
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def teaching_case_remove(request: AuthenticatedRequest, case_id: UUID) -> HttpResponseBase:
    """Leave an exam out of the set; what readers found in it stays."""
    case = get_managed_case(user=request.user, case_id=case_id)
    try:
        remove_teaching_case(case=case, by=request.user)
    except TeachingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The exam is not in the set any more."))
    return redirect("screening:teaching-set", case.teaching_set_id)
