"""The form of the facts of a visit."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ml.vocabulary import Laterality
from screening.forms.stored_values import BASE, BaseField
from screening.labels.acuities import CORRECTION_CHOICES
from screening.labels.visit_facts import UNIT_CHOICES
from screening.models import VisitFacts, VisualAcuity
from screening.models.base import max_length
from screening.models.visit_facts import EYE_TREATMENTS
from screening.services.visit_facts import HBA1C_FIELDS, HBA1C_UNUSUAL, stored_facts
from screening.stored_values import entered_values

NONE = "none"
_NOT_STATED = [("", _("Not stated"))]
_TREATMENTS = [(NONE, pgettext_lazy("treatment", "None")), *EYE_TREATMENTS]
_ACUITY_LABELS = (_("Right eye: visual acuity"), _("Left eye: visual acuity"))
_NO_FACTS = {"confirm", BASE, "OD_acuity", "OS_acuity", "OD_correction", "OS_correction"}
_YES_NO = [*_NOT_STATED, ("yes", _("Yes")), ("no", _("No"))]


class _AcuityField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        help_text = _("6/12, 20/40, 0.5, logMAR 0.3, or CF, HM, PL, NPL. Empty: as recorded before.")
        super().__init__(required=False, max_length=max_length(VisualAcuity, "entered"), help_text=help_text, **options)


class _CorrectionField(forms.ChoiceField):
    def __init__(self) -> None:
        super().__init__(label=_("Measured"), choices=[*_NOT_STATED, *CORRECTION_CHOICES], required=False)


class _DecimalField(forms.DecimalField):
    """A decimal number with a point or a comma, in every language.

    NB: no ``type="number"``: a browser in another language than the page empties a number that it cannot read.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError for other texts."""
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class VisitFactsForm(forms.Form):
    """What is asked at a visit; what is not known stays empty. ``is_questioned``: the HbA1c is to be confirmed."""

    is_questioned = False

    hba1c = _DecimalField(
        label=_("HbA1c"),
        localize=True,
        required=False,
        max_digits=4,
        decimal_places=1,
        min_value=0,
        help_text=_("3 to 20 %, or 9 to 195 mmol/mol"),
    )
    hba1c_unit = forms.ChoiceField(label=_("Unit"), choices=UNIT_CHOICES, required=False)
    hba1c_on = forms.DateField(
        label=_("Measured on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    treatment = forms.ChoiceField(
        label=_("Treatment of diabetes"), choices=[*_NOT_STATED, *VisitFacts.Treatment.choices], required=False
    )
    is_pregnant = forms.ChoiceField(label=_("Pregnant"), choices=_YES_NO, required=False)
    right_eye_treatments = forms.MultipleChoiceField(
        label=_("Right eye: previous treatments"),
        choices=_TREATMENTS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    left_eye_treatments = forms.MultipleChoiceField(
        label=_("Left eye: previous treatments"),
        choices=_TREATMENTS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    OD_acuity, OS_acuity = (_AcuityField(label=label) for label in _ACUITY_LABELS)
    OD_correction, OS_correction = (_CorrectionField() for _eye in Laterality)
    consent = forms.ChoiceField(
        label=_("Consent to the screening"), choices=[*_NOT_STATED, *VisitFacts.Consent.choices], required=False
    )
    confirm = forms.BooleanField(label=_("The unusual HbA1c is right"), required=False)
    base = BaseField()

    @classmethod
    def of(cls, facts: VisitFacts | None) -> "VisitFactsForm":
        """The form with what is recorded."""
        stored = stored_facts(facts)
        shown = {
            "is_pregnant": {True: "yes", False: "no", None: ""}[stored["is_pregnant"]],
            "right_eye_treatments": _shown(stored["right_eye_treatments"]),
            "left_eye_treatments": _shown(stored["left_eye_treatments"]),
        }
        return cls(initial={**stored, **shown, BASE: stored})

    def _clean_treatments(self, name: str) -> list[str] | None:
        chosen = self.cleaned_data[name]
        if NONE in chosen and len(chosen) > 1:
            raise forms.ValidationError(_("“None” excludes the others."))
        return [] if chosen == [NONE] else chosen or None

    def clean_right_eye_treatments(self) -> list[str] | None:
        """Codes; None if nothing is chosen."""
        return self._clean_treatments("right_eye_treatments")

    def clean_left_eye_treatments(self) -> list[str] | None:
        """Codes; None if nothing is chosen."""
        return self._clean_treatments("left_eye_treatments")

    def clean_is_pregnant(self) -> bool | None:
        """None if it is not stated."""
        return {"yes": True, "no": False}.get(self.cleaned_data["is_pregnant"])

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of a valid form that differ from its ``base``, as the service takes them."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in _NO_FACTS}
        entered = entered_values(values, self.cleaned_data[BASE])
        together = HBA1C_FIELDS if not entered.keys().isdisjoint(HBA1C_FIELDS) else ()
        return entered | {name: values[name] for name in together}

    @property
    def acuities(self) -> dict[Laterality, tuple[str, str]]:
        """Text and correction of each eye."""
        data = self.cleaned_data
        return {eye: (data[f"{eye}_acuity"], data[f"{eye}_correction"]) for eye in Laterality}

    @property
    def confirmed(self) -> list[str]:
        """Codes of questions that are answered."""
        return [HBA1C_UNUSUAL] if self.cleaned_data["confirm"] else []


def _shown(treatments: list[str] | None) -> list[str]:
    return [] if treatments is None else treatments or [NONE]
