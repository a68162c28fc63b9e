"""The worklist: exams to review, most urgent first, or exams being photographed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from screening.access import Action, can, can_create_first_site, sites_for
from screening.models import Exam
from screening.policy import WorklistRank
from screening.selectors import count_by_rank, open_exams, worklist
from screening.selectors.gradings import list_blind_sites
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import chosen_value, page_number, require_parameters

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

TO_REVIEW, BEING_PHOTOGRAPHED = "all", "open"
PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Filter:
    """One tab of the worklist. ``is_grade``: the tab reveals the model's grade."""

    name: str
    label: "_StrPromise"
    ranks: tuple[WorklistRank, ...] = tuple(WorklistRank)
    is_grade: bool = False


FILTERS = (
    Filter(TO_REVIEW, _("To review")),
    Filter("sight", _("Sight-threatening"), (WorklistRank.SIGHT_THREATENING,), is_grade=True),
    Filter("referable", _("Referable"), (WorklistRank.REFERABLE,), is_grade=True),
    Filter("ungraded", _("Not gradable or failed"), (WorklistRank.UNGRADED,)),
    Filter("pending", _("Being graded"), (WorklistRank.PENDING,)),
    Filter("limited", _("Small lesions could be missed"), (WorklistRank.LIMITED,), is_grade=True),
    Filter("routine", _("Not referable"), (WorklistRank.ROUTINE,), is_grade=True),
)
TABS = (*(one.name for one in FILTERS), BEING_PHOTOGRAPHED)


@login_required
@require_safe
def exam_worklist(request: AuthenticatedRequest) -> HttpResponseBase:
    """The worklist, filtered by ``?show=``.

    A user who reads blind sees the earliest due first, and no grades.
    """
    user = request.user
    require_parameters(request, known={"show", "page"})
    if can_create_first_site(user):
        return redirect("screening:site-first")
    may_review, blind_sites = can(user, Action.REVIEW_EXAM), list_blind_sites(user)
    default = TO_REVIEW if may_review else BEING_PHOTOGRAPHED
    requested = chosen_value(request, "show", values=TABS, default=default)
    is_open_list = requested == BEING_PHOTOGRAPHED
    filters = [one for one in FILTERS if not (blind_sites and one.is_grade)]
    chosen = next((one for one in filters if one.name == requested), filters[0])
    exams = open_exams(user=user) if is_open_list else worklist(user=user, ranks=chosen.ranks)
    counts = count_by_rank(user=user)
    context = {
        "section": "worklist",
        "tabs": [(one, sum(counts[rank] for rank in one.ranks)) for one in filters],
        "n_open": sum(count_by_rank(user=user, statuses=(Exam.Status.OPEN,)).values()),
        "chosen": BEING_PHOTOGRAPHED if is_open_list else chosen.name,
        "is_open_list": is_open_list,
        "page": Paginator(exams, PER_PAGE).get_page(page_number(request)),
        "blind_sites": blind_sites,
        "shows_site": sites_for(user).count() > 1,
        "may_review": may_review,
        "may_register": can(user, Action.REGISTER_PATIENT),
    }
    return render(request, "screening/worklist/list.html", context)
