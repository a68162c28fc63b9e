"""Outcome of a review, rank and status of an exam. Colour only repeats what the text says."""

from datetime import date, datetime
from functools import lru_cache

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
from screening.labels.outcome_tables import PATIENT_LABELS, code_label
from screening.labels.reviews import SHORT_MACULAR_OEDEMA_LABELS
from screening.labels.sentences import joined, with_label, within_sentence
from screening.labels.worklist import RANK_LABELS
from screening.models import Exam, EyeFinding, FirstReading
from screening.policy import ExamQuality, GradingScale, Outcome, WorklistRank
from screening.policy.exam_states import WAITING, ExamState
from screening.policy.lesions import Lesion

register = template.Library()

_OUTCOME_CLASSES = {
    Outcome.RESCREEN: "is-fine",
    Outcome.REPEAT_IMAGING: "",
    Outcome.REFER_SLIT_LAMP: "is-refer",
    Outcome.REFER: "is-refer",
    Outcome.REFER_URGENT: "is-alarm",
}
_STATUS_CLASSES = {ExamState.SIGNED: "is-fine", **dict.fromkeys(WAITING, "is-waiting")}
_RANK_CLASSES = {
    WorklistRank.SIGHT_THREATENING: "is-alarm",
    WorklistRank.REFERABLE: "is-refer",
    WorklistRank.UNGRADED: "is-unclear",
    WorklistRank.PENDING: "is-waiting",
    WorklistRank.LIMITED: "is-unclear",
    WorklistRank.ROUTINE: "is-fine",
}
_QUALITY_CLASSES = {
    ExamQuality.UNGRADED: "is-unclear",
    ExamQuality.PENDING: "is-waiting",
    ExamQuality.LIMITED: "is-unclear",
    ExamQuality.GOOD: "is-fine",
}


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
    """The time to a referral: ADA position statement 2017, table 4."""
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
    if side == "patient":
        return str(PATIENT_LABELS[fact])
    eye = EYE_LABELS[Laterality.RIGHT if side == "right" else Laterality.LEFT]
    if fact == "ungradable":
        label = _("ungradable, which never counts as negative")
    elif fact == "not_photographed":
        label = _("not photographed, which never counts as negative")
    elif fact == "oedema_unknown":
        label = _("macular oedema could not be assessed")
    else:
        label = " + ".join(_code_label(code) for code in fact.split("+"))
    return with_label(eye, label)


@register.filter
def reason_labels(reasons: list[str]) -> str:
    """The texts of reasons of ``policy.Decision`` in one line."""
    return joined(map(reason_label, reasons))


def _code_label(code: str) -> str:
    """A code of a rule in short: a grade of another scale than ICDR as readers write it."""
    if code.startswith("scale_"):
        return code.removeprefix("scale_")
    if code == "any":
        return _("any finding")
    label = code_label(GradingScale.ICDR, code)
    return label if code.startswith("grade_") else within_sentence(label)


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
def due_chip(exam: Exam) -> SafeString:
    """When an exam should be read: a chip if it is overdue."""
    text, is_overdue = due_label(exam.due_at), exam.due_at is not None and exam.due_at < timezone.now()
    return _chip(text, "is-alarm") if is_overdue else format_html("{}", text)


@register.simple_tag
def status_chip(exam: Exam) -> SafeString:
    """The status of an exam."""
    return _chip(exam.get_status_display(), _STATUS_CLASSES.get(ExamState(exam.status), ""))


@register.simple_tag
def quality_chip(exam: Exam) -> SafeString:
    """The quality of an exam's photographs. It reveals no grade."""
    if not exam.n_images:  # type: ignore[attr-defined]  # annotated
        return _chip(_("No photograph"), "")
    return _chip(exam.get_quality_display(), _QUALITY_CLASSES[ExamQuality(exam.quality)])


@register.simple_tag
def rank_chip(exam: Exam) -> SafeString:
    """The worklist rank of an exam, with the model's highest grade and its suspicion of macular oedema.

    NB: not for a user who reads the exam blind. Reads ``rank`` and ``n_images``, annotations of ``selectors.worklist``.
    """
    rank = WorklistRank(exam.rank)  # type: ignore[attr-defined]  # annotated
    label, css_class = str(RANK_LABELS[rank]), _RANK_CLASSES[rank]
    if not exam.n_images:  # type: ignore[attr-defined]  # annotated
        return _chip(_("No photograph"), "")
    if exam.status == ExamState.SECOND_READING:  # the second reader reads blind at every site
        return _chip(_("hidden until the second reading"), "")
    if exam.worst_grade is None:
        return _chip(label, css_class)
    oedema = _chip(_("Suspicion of macular oedema"), "is-refer") if exam.is_oedema_suspected else ""
    text = _("highest grade: %(grade)s") % {"grade": GRADE_LABELS[exam.worst_grade]}
    return format_html('{} {} <span class="small soft">{}</span>', _chip(label, css_class), oedema, text)


def _chip(label: str, css_class: str) -> SafeString:
    return _html_of_chip(str(label), css_class)


@lru_cache(maxsize=1024)
def _html_of_chip(label: str, css_class: str) -> SafeString:
    """The labels are few, and none is of a patient."""
    return format_html('<span class="chip {}">{}</span>', css_class, label)
