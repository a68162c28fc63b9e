"""Labels of what is asked at a visit."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.hba1c import Unit
from screening.labels.choices import choices

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

UNIT_LABELS: dict[Unit, "_StrPromise"] = {Unit.PERCENT: _("%"), Unit.MMOL_MOL: _("mmol/mol")}
UNIT_CHOICES = choices(UNIT_LABELS)
REQUIRABLE_FACTS: dict[str, "_StrPromise"] = {
    "acuity": _("visual acuity of each eye"),
    "hba1c": _("HbA1c"),
    "diabetes": _("diabetes type and since when"),
    "treatment": _("treatment of diabetes"),
    "pregnancy": _("pregnancy"),
    "eye_treatments": _("previous treatments of each eye"),
    "consent": _("consent"),
}
"""Facts that a site can require. Pregnancy is not asked of men."""
