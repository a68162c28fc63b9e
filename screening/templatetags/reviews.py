"""Outcome of a review, rank and status of an exam. Colour only repeats what the text says."""

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.vocabulary import Laterality
from screening.forms.readings import VERDICTS
from screening.labels.dates import day_text
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import GRADE_LABELS, SHORT_GRADE_LABELS
from screening.labels.lesions import lesion_text
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, SHORT_MACULAR_OEDEMA_LABELS
from screening.models import Exam, EyeFinding, FirstReading
from screening.policy import MacularOedema, Outcome, WorklistRank
from screening.policy.lesions import Lesion

register = template.Library()

_OUTCOME_CLASSES = {
    Outcome.RESCREEN: "is-fine",
    Outcome.REPEAT_IMAGING: "",
    Outcome.REFER_SLIT_LAMP: "is-refer",
    Outcome.REFER: "is-refer",
    Outcome.REFER_URGENT: "is-alarm",
}
_STATUS_CLASSES = {Exam.Status.SUBMITTED: "is-waiting", Exam.Status.REVIEWED: "is-fine"}


@register.filter
def not_blind_label(reason: str) -> str:
    """Why a first reading is not blind, as the end of a sentence."""
    return str(FirstReading.NotBlind(reason).label)


@register.filter
def outcome_class(outcome: str) -> str:
    """The CSS class of an outcome."""
    return _OUTCOME_CLASSES[Outcome(outcome)]


@register.filter
def referral_time(outcome: str) -> str:
    """The time to a referral: ICO Guidelines for Diabetic Eye Care (2017), table 4."""
    return _("within 3 to 6 months") if outcome == Outcome.REFER else ""


@register.filter
def recall_label(recall_on: date, outcome: str) -> str:
    """The recall date. NB: beside a referral it must not read as the specialist's appointment."""
    day = day_text(recall_on)
    if outcome in {Outcome.REFER, Outcome.REFER_URGENT}:
        return _("next screening %(day)s") % {"day": day}
    return _("due %(day)s") % {"day": day}


@register.filter
def reason_label(reason: str) -> str:
    """The text of a reason of ``policy.Decision``: "Right eye: Moderate non-proliferative" for right_grade_2."""
    side, _underscore, fact = reason.partition("_")
    eye = EYE_LABELS[Laterality.RIGHT if side == "right" else Laterality.LEFT]
    if fact.startswith("grade_"):
        label = str(GRADE_LABELS[int(fact.removeprefix("grade_"))])
    elif fact.startswith("scale_"):
        label = fact.removeprefix("scale_")
    elif fact == "ungradable":
        label = _("ungradable, which never counts as negative")
    elif fact == "not_photographed":
        label = _("not photographed, which never counts as negative")
    elif fact == "oedema_unknown":
        label = _("macular oedema could not be assessed")
    else:
        oedema = MacularOedema(fact.removeprefix("oedema_"))
        label = _("macular oedema: %(which)s") % {"which": MACULAR_OEDEMA_LABELS[oedema]}
    return f"{eye}: {label}"


@register.filter
def lesion_texts(finding: EyeFinding | FirstReading) -> list[str]:
    """The structured findings of an eye in words."""
    texts = [lesion_text(Lesion(code), value) for code, value in finding.lesions.items()]
    return [*texts, finding.other_disease] if finding.other_disease else texts


@register.filter
def verdict_label(verdict: str) -> str:
    """The short name of a choice of the grade."""
    if verdict.isdecimal():
        return str(SHORT_GRADE_LABELS[int(verdict)])
    return str(VERDICTS[verdict])


@register.filter
def oedema_label(oedema: str) -> str:
    """The short name of a choice of the macular oedema."""
    known = {one.value: label for one, label in SHORT_MACULAR_OEDEMA_LABELS.items()}
    return str(known.get(oedema, oedema))


@register.filter
def waiting_time(since: datetime | None) -> str:
    """The time since a moment in one unit: "5 min", "3 h", "12 days"."""
    if since is None:
        return "–"
    minutes = max(0, int((timezone.now() - since).total_seconds() // 60))
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)d h") % {"n": minutes // 60}
    days = minutes // (24 * 60)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


@register.filter
def due_label(due_at: datetime | None) -> str:
    """When an exam should be read, in words: "overdue by 2 days", "due in 3 h"."""
    if due_at is None:
        return "–"
    now = timezone.now()
    if due_at < now:
        return _("overdue by %(time)s") % {"time": waiting_time(due_at)}
    return _("due in %(time)s") % {"time": waiting_time(now - (due_at - now))}


@register.simple_tag
def status_chip(exam: Exam) -> SafeString:
    """The status of an exam."""
    return _chip(exam.get_status_display(), _STATUS_CLASSES.get(Exam.Status(exam.status), ""))


@register.simple_tag
def rank_chip(exam: Exam, *, is_blind: bool = False) -> SafeString:
    """The worklist rank of an exam, with the model's highest grade and its suspicion of macular oedema.

    If ``is_blind``, nothing that reveals a grade or a suspicion.

    Reads ``rank`` and ``n_images``, annotations of ``selectors.worklist``.
    """
    rank = WorklistRank(exam.rank)  # type: ignore[attr-defined]  # annotated
    if is_blind and rank not in {WorklistRank.UNGRADED, WorklistRank.PENDING}:
        return format_html('<span class="soft">{}</span>', _("hidden until your first reading"))
    label, css_class = {
        WorklistRank.SIGHT_THREATENING: (_("Sight-threatening"), "is-alarm"),
        WorklistRank.REFERABLE: (_("Referable"), "is-refer"),
        WorklistRank.UNGRADED: (_("Not gradable or failed"), "is-unclear"),
        WorklistRank.PENDING: (_("Being graded"), "is-waiting"),
        WorklistRank.LIMITED: (_("Not referable, small lesions could be missed"), "is-unclear"),
        WorklistRank.ROUTINE: (_("Not referable"), "is-fine"),
    }[rank]
    if is_blind:
        return _chip(label, css_class)
    if not exam.n_images:  # type: ignore[attr-defined]  # annotated
        return _chip(_("No photograph"), "")
    if exam.worst_grade is None:
        return _chip(label, css_class)
    oedema = _chip(_("Suspicion of macular oedema"), "is-refer") if exam.is_oedema_suspected else ""
    text = _("highest grade: %(grade)s") % {"grade": GRADE_LABELS[exam.worst_grade]}
    return format_html('{} {} <span class="small soft">{}</span>', _chip(label, css_class), oedema, text)


def _chip(label: str, css_class: str) -> SafeString:
    return format_html('<span class="chip {}">{}</span>', css_class, label)
