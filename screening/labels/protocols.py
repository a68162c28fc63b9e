"""Labels of reading protocols."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from screening.labels.choices import choices
from screening.labels.numbers import decimal_text
from screening.policy.proportions import Proportion
from screening.policy.protocols import MIN_REFERABLE_EYES, MIN_SENSITIVITY, ProtocolKind, ReadingStage, TriageObstacle

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PROTOCOL_KIND_LABELS: dict[ProtocolKind, "_StrPromise"] = {
    ProtocolKind.SINGLE: gettext_lazy("One reader"),
    ProtocolKind.DOUBLE_POSITIVES: gettext_lazy("Two readers for every positive and for a sample of the negatives"),
    ProtocolKind.DOUBLE_ALL: gettext_lazy("Two readers for every exam"),
    ProtocolKind.TRIAGE: gettext_lazy(
        "Triage: one reader for clear negatives of good quality outside the sample, two for all others"
    ),
}
PROTOCOL_KIND_CHOICES = choices(PROTOCOL_KIND_LABELS)
READING_STAGE_LABELS: dict[ReadingStage, "_StrPromise"] = {
    ReadingStage.FIRST: gettext_lazy("First reading"),
    ReadingStage.SECOND: gettext_lazy("Second reading"),
    ReadingStage.ARBITRATION: gettext_lazy("Arbitration"),
    ReadingStage.REPEAT: gettext_lazy("Repeat"),
}
READING_STAGE_CHOICES = choices(READING_STAGE_LABELS)


def sensitivity_text(sensitivity: Proportion) -> str:
    """What the model reached in referable eyes of the site, with its interval."""
    if sensitivity.interval is None:
        return _("No referable eye of this site has a result of the model yet.")
    low, high = sensitivity.interval
    values = {
        "flagged": sensitivity.n_positive,
        "n": sensitivity.n,
        "percent": decimal_text(100 * sensitivity.n_positive / sensitivity.n, 1),
        "low": decimal_text(100 * low, 1),
        "high": decimal_text(100 * high, 1),
    }
    return (
        ngettext(
            "The model flagged %(flagged)d of %(n)d signed referable eye of this site: sensitivity %(percent)s %% "
            "(95 %% interval %(low)s to %(high)s %%).",
            "The model flagged %(flagged)d of %(n)d signed referable eyes of this site: sensitivity %(percent)s %% "
            "(95 %% interval %(low)s to %(high)s %%).",
            sensitivity.n,
        )
        % values
    )


def obstacle_text(obstacle: TriageObstacle) -> str:
    """Why triage cannot be switched on, and what it needs."""
    if obstacle is TriageObstacle.TOO_FEW_EYES:
        text = ngettext(
            "Triage needs at least %(n)d referable eye of this site that is signed and graded by the model.",
            "Triage needs at least %(n)d referable eyes of this site that are signed and graded by the model.",
            MIN_REFERABLE_EYES,
        )
        return text % {"n": MIN_REFERABLE_EYES}
    return _("Triage needs a sensitivity whose lower limit is at least %(percent)d %%.") % {
        "percent": round(100 * MIN_SENSITIVITY)
    }
