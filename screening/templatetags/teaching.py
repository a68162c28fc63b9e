"""Teaching sets: the form that adds an exam, and the figures of a certificate."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.translation import gettext as _

from screening.labels.grades import GRADE_LABELS
from screening.labels.numbers import decimal_text
from screening.models import Exam
from screening.selectors.teaching import AMENDED, ERASED, NOT_VALID, USED, list_managed_sets

register = template.Library()


@register.inclusion_tag("screening/teaching/_add.html", takes_context=True)
def teaching_sets(context: Any, user: Any, exam: Exam) -> dict[str, Any]:
    """The form that adds a signed exam to a teaching set; nothing for a user who manages none."""
    return {"exam": exam, "sets": list_managed_sets(user=user, site=exam.site), "csrf_token": context["csrf_token"]}


@register.filter
def found_grade(grade: int | None) -> str:
    """The name of an ICDR grade, with its number; ungradable without one."""
    return _("Ungradable") if grade is None else f"{GRADE_LABELS[grade]} ({grade})"


@register.filter
def case_state(state: str) -> str:
    """Whether an exam of a set is used, in words."""
    return {
        USED: _("used"),
        AMENDED: _("not used: the result was corrected"),
        NOT_VALID: _("not used: the result does not count any more"),
        ERASED: _("not used: the exam was erased"),
    }[state]


@register.simple_tag
def kappa_text(kappa: float | None, interval: Sequence[float] | None) -> str:
    """``0.82 (0.71 to 0.90)``; without an interval, or a dash, if there is none."""
    if kappa is None:
        return "–"
    if interval is None:
        return decimal_text(kappa, 2)
    low, high = interval
    limits = {"kappa": decimal_text(kappa, 2), "low": decimal_text(low, 2), "high": decimal_text(high, 2)}
    return _("%(kappa)s (%(low)s to %(high)s)") % limits
