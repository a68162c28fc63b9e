"""Values of the variables of letters: those of a person, and made-up ones for previews."""

import datetime

from django.utils.translation import gettext as _

from screening.labels.dates import day_text
from screening.labels.directions import isolated
from screening.labels.grades import GRADE_LABELS
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, OUTCOME_LABELS, URGENCY_LABELS
from screening.labels.sentences import joined
from screening.models import Site
from screening.policy import MacularOedema, Outcome, Urgency


def person_values(site: Site, name: str) -> dict[str, str]:
    """Values of every letter to or about a person, in the active language. The number to call is that of messages."""
    return {"name": name, "site": site.name, "phone": site.message_phone or _("the number at the top of this letter")}


def eye_text(grade: str, oedema: str, acuity: str) -> str:
    """What was found in an eye, in one line."""
    texts = [grade]
    texts += [_("macular oedema: %(oedema)s") % {"oedema": oedema}] if oedema else []
    texts += [_("visual acuity: %(acuity)s") % {"acuity": isolated(acuity)}] if acuity else []
    return joined(texts)


def example_values(person: dict[str, str], day: datetime.date) -> dict[str, str]:
    """Made-up values for all variables, in the active language; ``day``: of the next screening."""
    none, suspected = MACULAR_OEDEMA_LABELS[MacularOedema.NONE], MACULAR_OEDEMA_LABELS[MacularOedema.SUSPECTED]
    values = {
        **person,
        "born": day_text(datetime.date(1960, 5, 17)),
        "mrn": "0012345",
        "visit_day": day_text(day - datetime.timedelta(days=28)),
        "recall_day": day_text(day),
        "result": str(OUTCOME_LABELS[Outcome.REFER]),
        "urgency": str(URGENCY_LABELS[Urgency.SOON]),
        "right_eye": eye_text(f"{GRADE_LABELS[2]} (2)", str(suspected), "6/12 (0.30 logMAR)"),
        "left_eye": eye_text(f"{GRADE_LABELS[1]} (1)", str(none), "6/9 (0.18 logMAR)"),
        "reader": _("Rosalind Reader"),
    }
    return {name: isolated(value) for name, value in values.items()}
