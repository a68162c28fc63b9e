"""Labels of the grading scales and of their grades."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices
from screening.policy import GradingScale, Maculopathy, Photocoagulation, Retinopathy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SCALE_LABELS: dict[GradingScale, "_StrPromise"] = {
    GradingScale.ICDR: _("ICDR, five grades"),
    GradingScale.ENGLAND: _("England, features-based (R0 to R3A)"),
    GradingScale.SCOTLAND: _("Scotland (R0 to R4)"),
}
SCALE_CHOICES = choices(SCALE_LABELS)
RETINOPATHY_LABELS: dict[GradingScale, dict[Retinopathy, "_StrPromise"]] = {
    GradingScale.ENGLAND: {
        Retinopathy.R0: _("No retinopathy"),
        Retinopathy.R1: _("Background"),
        Retinopathy.R2L: _("Pre-proliferative, lower risk"),
        Retinopathy.R2H: _("Pre-proliferative, higher risk"),
        Retinopathy.R3A: _("Proliferative, active"),
        Retinopathy.R3S: _("Proliferative, treated and stable"),
    },
    GradingScale.SCOTLAND: {
        Retinopathy.R0: _("No visible retinopathy"),
        Retinopathy.R1: _("Mild background"),
        Retinopathy.R2: _("Observable background"),
        Retinopathy.R3: _("Referable background"),
        Retinopathy.R4: _("Proliferative"),
    },
}
MACULOPATHY_LABELS: dict[GradingScale, dict[Maculopathy, "_StrPromise"]] = {
    GradingScale.ENGLAND: {Maculopathy.M0: _("No maculopathy"), Maculopathy.M1: _("Maculopathy")},
    GradingScale.SCOTLAND: {
        Maculopathy.M0: _("No maculopathy"),
        Maculopathy.M1: _("Observable maculopathy"),
        Maculopathy.M2: _("Referable maculopathy"),
    },
}
PHOTOCOAGULATION_LABELS: dict[Photocoagulation, "_StrPromise"] = {
    Photocoagulation.P0: _("No scars of photocoagulation"),
    Photocoagulation.P1: _("Scars of photocoagulation, at the macula or peripheral"),
}
