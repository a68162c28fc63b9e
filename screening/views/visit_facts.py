"""The facts of a visit on the page of the exam."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from screening.forms import PhotoForm
from screening.forms.stored_values import BASE, show_stored
from screening.forms.visit_facts import VisitFactsForm
from screening.selectors import get_exam
from screening.services.exams import ExamError
from screening.services.visit_facts import InvalidFact, UnusualHbA1c, record_visit
from screening.stored_values import ValuesChanged
from screening.views.decorators import AuthenticatedRequest, login_required, require_form
from screening.views.exams import exam_page


@login_required
@require_form("screening:exam-detail")
def exam_facts(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Record the facts of a visit; a form with errors comes back with all its entries."""
    detail = get_exam(user=request.user, exam_id=exam_id)
    form = VisitFactsForm(request.POST)
    if form.is_valid():
        facts = form.facts
        try:
            record_visit(
                exam=detail.exam,
                facts=facts,
                base=form.cleaned_data[BASE],
                acuities=form.acuities,
                confirmed=form.confirmed,
                by=request.user,
            )
        except ValuesChanged as error:
            detail = get_exam(user=request.user, exam_id=exam_id)
            stored = VisitFactsForm.of(getattr(detail.exam, "visit_facts", None))
            show_stored(form, error, stored, entered=facts)
        except InvalidFact as error:
            form.add_error(error.field, str(error))
            form.is_questioned = isinstance(error, UnusualHbA1c)
        except ExamError as error:
            messages.error(request, str(error))  # the page of an exam that is closed has no form
        else:
            messages.success(request, _("The facts of the visit are saved."))
            return redirect("screening:exam-detail", exam_id)
    return exam_page(request, detail, photo_form=PhotoForm(), facts_form=form, status=422)
