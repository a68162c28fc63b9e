"""The facts of a visit in a few words, for the page of the exam and for the reader."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.hba1c import percent_of
from screening.labels.dates import day_text
from screening.labels.eyes import EYE_LABELS
from screening.labels.numbers import decimal_text
from screening.models import Exam, VisitFacts, VisualAcuity
from screening.models.visit_facts import EYE_TREATMENTS

register = template.Library()


@register.inclusion_tag("screening/exams/_visit_facts.html")
def visit_facts(exam: Exam, *, with_acuity: bool = False, sees_identity: bool = True) -> dict[str, Any]:
    """``{% visit_facts exam %}``: what is recorded, also of eyes that cannot be taken; nothing if nothing is.

    ``with_acuity``: of an exam whose acuities are loaded. Without ``sees_identity`` only what concerns the eyes, and no
    text that a person typed.
    """
    facts: VisitFacts | None = getattr(exam, "visit_facts", None)
    unobtainable = [
        (
            EYE_LABELS[eye],
            _("not obtainable: %(reason)s") % {"reason": _unobtainable_text(exam, eye, sees_identity=sees_identity)},
        )
        for eye in Laterality
        if exam.unobtainable(eye)
    ]
    acuities = _acuity_rows(exam) if with_acuity else []
    rows = [] if facts is None else visit_facts_rows(facts) if sees_identity else _eye_rows(facts)
    return {"rows": [*unobtainable, *acuities, *rows]}


def _unobtainable_text(exam: Exam, eye: Laterality, *, sees_identity: bool) -> str:
    return exam.unobtainable_text(eye) if sees_identity else str(Exam.Unobtainable(exam.unobtainable(eye)).label)


def visit_facts_rows(facts: VisitFacts) -> list[tuple[str, str]]:
    """Name and value of each fact that is recorded."""
    rows = [
        (_("HbA1c"), _hba1c_text(facts)),
        (_("Treatment"), facts.get_treatment_display()),
        (_("Pregnant"), {True: _("Yes"), False: _("No"), None: ""}[facts.is_pregnant]),
        *_eye_rows(facts),
        (_("Consent"), facts.get_consent_display()),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _eye_rows(facts: VisitFacts) -> list[tuple[str, str]]:
    """Earlier treatments of each eye, if they are recorded."""
    rows = [
        (_("Right eye before"), _treatments_text(facts.right_eye_treatments)),
        (_("Left eye before"), _treatments_text(facts.left_eye_treatments)),
    ]
    return [(name, value) for name, value in rows if value]


def _hba1c_text(facts: VisitFacts) -> str:
    if facts.hba1c_mmol_mol is None:
        return ""
    percent = decimal_text(float(percent_of(facts.hba1c_mmol_mol)), 1)
    text = _("%(percent)s %% (%(mmol_mol)d mmol/mol)") % {"percent": percent, "mmol_mol": round(facts.hba1c_mmol_mol)}
    return f"{text}, {day_text(facts.hba1c_on)}" if facts.hba1c_on else text


def _treatments_text(treatments: list[str] | None) -> str:
    if treatments is None:
        return ""
    labels = dict(EYE_TREATMENTS)
    return ", ".join(str(labels[code]) for code in treatments) or _("No treatment")


def newest_acuities(exam: Exam) -> dict[str, VisualAcuity]:
    """The newest visual acuity of each eye that has one, of an exam whose acuities are loaded."""
    newest: dict[str, VisualAcuity] = {}
    for one in exam.acuities.all():  # newest first
        newest.setdefault(one.laterality, one)
    return newest


def _acuity_rows(exam: Exam) -> list[tuple[str, str]]:
    """The newest visual acuity of each eye, as entered and as logMAR."""
    newest = newest_acuities(exam)
    names = {eye: _("%(eye)s: acuity") % {"eye": EYE_LABELS[eye]} for eye in Laterality}
    return [(names[eye], newest[eye].text) for eye in Laterality if eye in newest]
