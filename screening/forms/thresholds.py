"""The form of a threshold of a site, for the admin panel."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ml.bundle import Bundle
from ml.errors import BundleError
from ml.site_threshold import MAX_BYTES
from ml.vocabulary import ServedModel
from screening.labels.models import SHORT_MODEL_LABELS
from screening.models import Site, SiteThreshold
from screening.services import inference
from screening.services.thresholds import ThresholdRefused, chosen_threshold, fitted_threshold, table_of

OWN = "own"
if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[SiteThreshold]
else:
    _ModelForm = forms.ModelForm


class SiteThresholdForm(_ModelForm):
    """Either a file, or a row of the table of the site's model.

    A valid form has the ``threshold``, not stored yet.
    """

    choice = forms.ChoiceField(
        label=_("Threshold of the model's table"),
        required=False,
        help_text=_("Lowest and highest of the sources of validation photographs. The model card has each source."),
    )
    file = forms.FileField(
        label=_("Threshold fitted to photographs of the site"),
        required=False,
        help_text=_("The file that python -m ml site-threshold wrote, in place of a threshold of the table."),
    )

    class Meta:
        model = SiteThreshold
        fields = ["site", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["choice"]
        field.choices = [("", "---------"), *_choices()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file, choice, site = cleaned.get("file"), cleaned.get("choice"), cleaned.get("site")
        if bool(file) == bool(choice):
            raise forms.ValidationError(_("Choose a threshold of the table, or a file."))
        if not isinstance(site, Site):
            return cleaned
        try:
            self.threshold = _from_file(site, file) if file else _from_table(site, str(choice))
        except ThresholdRefused as error:
            raise forms.ValidationError(str(error)) from None
        self.threshold.reason = str(cleaned.get("reason") or "")
        return cleaned


def _from_file(site: Site, file: "UploadedFile[Any]") -> SiteThreshold:
    return fitted_threshold(site, file.read(MAX_BYTES + 1))


def _from_table(site: Site, choice: str) -> SiteThreshold:
    model, _colon, threshold = choice.partition(":")
    if model != site.served_model:
        raise ThresholdRefused(gettext("This threshold is one of another model than that of the site."))
    return chosen_threshold(site, None if threshold == OWN else float(threshold))


def _choices() -> list[tuple[str, str]]:
    choices = []
    for model in ServedModel:
        try:
            bundle = inference.current_bundle(model)
        except BundleError:  # not installed; no site can have it
            continue
        own = gettext("%(model)s, its own threshold %(threshold)s")
        values = {"model": SHORT_MODEL_LABELS[model], "threshold": bundle.operating_point}
        choices.append((f"{model}:{OWN}", own % values))
        rows = [point for point in table_of(bundle) if point != bundle.operating_point]
        choices += [
            (f"{model}:{point}", f"{SHORT_MODEL_LABELS[model]}, {point}: {threshold_text(bundle, point)}")
            for point in rows
        ]
    return choices


def threshold_text(bundle: Bundle, operating_point: float) -> str:
    """Lowest and highest sensitivity and specificity of the sources, at a threshold of the bundle's table.

    Empty if the table has no such threshold.
    """
    if bundle.roc is None or operating_point not in bundle.roc.thresholds:
        return ""
    i = bundle.roc.thresholds.index(operating_point)
    sources = bundle.roc.sources.values()
    values = {
        "sensitivity": _range(source.sensitivity[i][0] for source in sources),
        "specificity": _range(source.specificity[i][0] for source in sources),
    }
    return gettext("sensitivity %(sensitivity)s, specificity %(specificity)s") % values


def _range(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    return gettext("%(lowest).2f to %(highest).2f") % {"lowest": min(known), "highest": max(known)}
