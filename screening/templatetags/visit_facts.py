"""The facts of a visit in a few words, for the page of the exam and for the reader."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.hba1c import percent_of
from screening.labels.eyes import EYE_LABELS
from screening.models import Exam, VisitFacts, VisualAcuity
from screening.models.visit_facts import EYE_TREATMENTS

register = template.Library()


@register.inclusion_tag("screening/exams/_visit_facts.html")
def visit_facts(exam: Exam, *, with_acuity: bool = False) -> dict[str, Any]:
    """``{% visit_facts exam %}``: what is recorded, also of eyes that cannot be taken; nothing if nothing is.

    ``with_acuity``: of an exam whose acuities are loaded.
    """
    facts: VisitFacts | None = getattr(exam, "visit_facts", None)
    unobtainable = [
        (EYE_LABELS[eye], _("not obtainable: %(reason)s") % {"reason": exam.unobtainable_text(eye)})
        for eye in Laterality
        if exam.unobtainable(eye)
    ]
    acuities = _acuity_rows(exam) if with_acuity else []
    return {"rows": [*unobtainable, *acuities, *([] if facts is None else visit_facts_rows(facts))]}


def visit_facts_rows(facts: VisitFacts) -> list[tuple[str, str]]:
    """Name and value of each fact that is recorded."""
    rows = [
        (_("HbA1c"), _hba1c_text(facts)),
        (_("Treatment"), facts.get_treatment_display()),
        (_("Pregnant"), {True: _("Yes"), False: _("No"), None: ""}[facts.is_pregnant]),
        (_("Right eye before"), _treatments_text(facts.right_eye_treatments)),
        (_("Left eye before"), _treatments_text(facts.left_eye_treatments)),
        (_("Consent"), facts.get_consent_display()),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _hba1c_text(facts: VisitFacts) -> str:
    if facts.hba1c_mmol_mol is None:
        return ""
    percent, mmol_mol = percent_of(facts.hba1c_mmol_mol), round(facts.hba1c_mmol_mol)
    text = _("%(percent)s %% (%(mmol_mol)d mmol/mol)") % {"percent": percent, "mmol_mol": mmol_mol}
    return f"{text}, {facts.hba1c_on.isoformat()}" if facts.hba1c_on else text


def _treatments_text(treatments: list[str] | None) -> str:
    if treatments is None:
        return ""
    labels = dict(EYE_TREATMENTS)
    return ", ".join(str(labels[code]) for code in treatments) or _("No treatment")


def _acuity_rows(exam: Exam) -> list[tuple[str, str]]:
    """The newest visual acuity of each eye, as entered and as logMAR."""
    newest: dict[str, VisualAcuity] = {}
    for one in exam.acuities.all():  # newest first
        newest.setdefault(one.laterality, one)
    names = {eye: _("%(eye)s: acuity") % {"eye": EYE_LABELS[eye]} for eye in Laterality}
    return [(names[eye], _acuity_text(newest[eye])) for eye in Laterality if eye in newest]


def _acuity_text(acuity: VisualAcuity) -> str:
    return f"{acuity.entered} ({acuity.logmar} logMAR) {acuity.get_correction_display()}".strip()
