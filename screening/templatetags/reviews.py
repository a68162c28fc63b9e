"""What follows from a review and how urgent an exam is, in words that never rest on colour alone."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.vocabulary import Laterality
from screening.forms import UNGRADABLE
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import GRADE_LABELS, SHORT_GRADE_LABELS
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, SHORT_MACULAR_OEDEMA_LABELS
from screening.models import Exam, Review
from screening.policy import MacularOedema, Outcome, WorklistRank

register = template.Library()

_TONES = {
    Outcome.RESCREEN: "is-fine",
    Outcome.REPEAT_IMAGING: "",
    Outcome.REFER_SLIT_LAMP: "is-refer",
    Outcome.REFER: "is-refer",
    Outcome.REFER_URGENT: "is-alarm",
}


@register.filter
def outcome_tone(outcome: str) -> str:
    """Give the class that colours an outcome's edge; the words beside it say the same."""
    return _TONES[Outcome(outcome)]


@register.filter
def outcome_class(review: Review) -> str:
    """Give the class that colours a signed review's edge."""
    return outcome_tone(review.outcome)


@register.filter
def how_soon(outcome: str) -> str:
    """Say within what time a referral takes place: ICO Guidelines for Diabetic Eye Care (2017), table 4."""
    return _("within 3 to 6 months") if outcome == Outcome.REFER else ""


@register.filter
def due_label(recall_on: date, outcome: str) -> str:
    """Say what happens on the recall date; beside a referral it must not read as the specialist's appointment."""
    day = recall_on.isoformat()
    if outcome in {Outcome.REFER, Outcome.REFER_URGENT}:
        return _("next screening %(day)s") % {"day": day}
    return _("due %(day)s") % {"day": day}


@register.filter
def reason_label(reason: str) -> str:
    """Say a reason of ``policy.Decision``: ``right_grade_2`` is "right eye: moderate non-proliferative"."""
    side, _underscore, fact = reason.partition("_")
    eye = EYE_LABELS[Laterality.RIGHT if side == "right" else Laterality.LEFT]
    if fact.startswith("grade_"):
        label = str(GRADE_LABELS[int(fact.removeprefix("grade_"))])
    elif fact == "ungradable":
        label = _("ungradable, which is never a negative")
    elif fact == "oedema_unknown":
        label = _("macular oedema could not be judged")
    else:
        oedema = MacularOedema(fact.removeprefix("oedema_"))
        label = _("macular oedema: %(which)s") % {"which": MACULAR_OEDEMA_LABELS[oedema]}
    return f"{eye}: {label}"


@register.filter
def verdict_label(verdict: str) -> str:
    """Name a choice of the grade in one word, so that all of them stand in one row."""
    return _("Ungradable") if verdict == UNGRADABLE else str(SHORT_GRADE_LABELS[int(verdict)])


@register.filter
def oedema_label(oedema: str) -> str:
    """Name a choice of the macular oedema shortly; its long name is the choice's title."""
    return str(SHORT_MACULAR_OEDEMA_LABELS[MacularOedema(oedema)])


@register.filter
def waiting(since: datetime | None) -> str:
    """Say how long ago in one unit: "5 min", "3 h", "12 days"."""
    if since is None:
        return "–"
    minutes = max(0, int((timezone.now() - since).total_seconds() // 60))
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)d h") % {"n": minutes // 60}
    days = minutes // (24 * 60)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


@register.simple_tag
def rank_chip(exam: Any) -> SafeString:
    """Say how urgent an exam is by the model, with the worst grade. Reads ``n_images`` of the worklist."""
    label, tone = {
        WorklistRank.SIGHT_THREATENING: (_("Sight-threatening"), "is-alarm"),
        WorklistRank.REFERABLE: (_("Referable"), "is-refer"),
        WorklistRank.UNGRADED: (_("Not gradable or failed"), "is-unclear"),
        WorklistRank.PENDING: (_("Being graded"), "is-waiting"),
        WorklistRank.ROUTINE: (_("Not referable"), "is-fine"),
    }[WorklistRank(exam.worklist_rank)]
    if not exam.n_images:
        label, tone = _("No photograph"), ""
    chip = format_html('<span class="chip {}">{}</span>', tone, label)
    if exam.worst_grade is None:
        return chip
    worst = _("worst eye: %(grade)s") % {"grade": GRADE_LABELS[exam.worst_grade]}
    return format_html('{} <span class="small soft">{}</span>', chip, worst)


@register.simple_tag
def blind_chip(exam: Exam) -> SafeString:
    """Say only what does not give the grade away before the first reading."""
    rank = WorklistRank(exam.worklist_rank)
    if rank is WorklistRank.UNGRADED:
        return format_html('<span class="chip is-unclear">{}</span>', _("Not gradable or failed"))
    if rank is WorklistRank.PENDING:
        return format_html('<span class="chip is-waiting">{}</span>', _("Being graded"))
    return format_html('<span class="soft">{}</span>', _("hidden until your reading"))
