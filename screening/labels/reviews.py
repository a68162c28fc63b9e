"""Labels of what a clinician finds and decides: macular oedema, outcome, urgency."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.choices import choices
from screening.policy import MacularOedema, Outcome, Urgency

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

OUTCOME_LABELS: dict[Outcome, "_StrPromise"] = {
    Outcome.RESCREEN: _("Screen again at the recall date"),
    Outcome.REPEAT_IMAGING: _("Take the photographs again"),
    Outcome.REFER_SLIT_LAMP: _("Refer for slit-lamp examination"),
    Outcome.REFER: _("Refer to a specialist"),
    Outcome.REFER_URGENT: _("Refer to a specialist at once"),
}
URGENCY_LABELS: dict[Urgency, "_StrPromise"] = {
    Urgency.ROUTINE: _("Routine"),
    Urgency.SOON: _("Within 3 to 6 months"),
    Urgency.IMMEDIATE: _("Immediate"),
}
MACULAR_OEDEMA_LABELS: dict[MacularOedema, "_StrPromise"] = {
    MacularOedema.NONE: pgettext_lazy("macular oedema", "None"),
    MacularOedema.SUSPECTED: _("Suspected"),
    MacularOedema.NOT_CENTRE: _("Present, centre not involved"),
    MacularOedema.CENTRE: _("Present, centre involved"),
    MacularOedema.UNKNOWN: _("Cannot tell"),
}
SHORT_MACULAR_OEDEMA_LABELS: dict[MacularOedema, "_StrPromise"] = {
    MacularOedema.NONE: pgettext_lazy("macular oedema", "None"),
    MacularOedema.SUSPECTED: _("Suspected"),
    MacularOedema.NOT_CENTRE: _("Not centre"),
    MacularOedema.CENTRE: _("Centre"),
    MacularOedema.UNKNOWN: _("Cannot tell"),
}
OUTCOME_CHOICES = choices(OUTCOME_LABELS)
URGENCY_CHOICES = choices(URGENCY_LABELS)
MACULAR_OEDEMA_CHOICES = choices(MACULAR_OEDEMA_LABELS)
