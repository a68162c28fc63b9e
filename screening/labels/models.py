"""Labels of the two served models."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import ServedModel
from screening.labels.choices import choices

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MODEL_LABELS: dict[ServedModel, "_StrPromise"] = {
    ServedModel.ACCURATE: _("Accurate: grades better, takes about six times as long"),
    ServedModel.FAST: _("Fast: for many photographs and small machines"),
}
SHORT_MODEL_LABELS: dict[ServedModel, "_StrPromise"] = {
    ServedModel.ACCURATE: _("Accurate model"),
    ServedModel.FAST: _("Fast model"),
}
MODEL_CHOICES = choices(MODEL_LABELS)


def unknown_model_text(name: object) -> str:
    """The refusal of a model that this installation does not have."""
    text = gettext("“%(name)s” is not a model of this installation. Choose one of: %(models)s.")
    return text % {"name": name, "models": ", ".join(settings.GRADING_MODELS)}
