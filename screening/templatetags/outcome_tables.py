"""Outcome tables on pages."""

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.labels.outcome_tables import result_text
from screening.models import Review
from screening.policy import Decision

register = template.Library()


@register.filter
def decision_text(decision: Decision) -> str:
    """Outcome, urgency and interval in words."""
    return result_text(decision.outcome, decision.urgency, decision.recall_months)


@register.filter
def hours(n_hours: int) -> str:
    """A time in days if it is a whole number of at least two, else in hours."""
    n_days, rest = divmod(n_hours, 24)
    if n_days >= 2 and not rest:
        return ngettext("%(n)d day", "%(n)d days", n_days) % {"n": n_days}
    return ngettext("%(n)d hour", "%(n)d hours", n_hours) % {"n": n_hours}


@register.filter
def table_name(review: Review) -> str:
    """The table that a review was signed by: "rules of this site, version 3"."""
    if review.outcome_table is not None:
        return _("rules of this site, version %(number)d") % {"number": review.outcome_table.number}
    return _("built-in rules, version %(number)d") % {"number": review.built_in_version}


@register.filter
def table_url(review: Review) -> str:
    """The page of the table that a review was signed by."""
    number = 0 if review.outcome_table is None else review.outcome_table.number
    page = reverse("screening:site-outcome-table", args=[review.exam.site_id, review.scale, number])
    return page if number else f"{page}?built-in={review.built_in_version}"
