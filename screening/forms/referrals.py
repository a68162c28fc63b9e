"""Referrals: search and filters of the list, a step, and the result of the hospital."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from ml.vocabulary import ICDRGrade, Laterality
from screening.forms.patients import PatientSearchForm
from screening.forms.worklist import ANY
from screening.labels.grades import GRADE_LABELS
from screening.labels.referrals import TREATMENT_CHOICES, Treatment
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES, URGENCY_LABELS
from screening.models import ReferralEvent, ReferralFeedback
from screening.models.base import max_length
from screening.policy import MacularOedema, Urgency

NOT_STATED = "unknown"
GRADE_CHOICES = [(NOT_STATED, _("Not stated")), *((str(int(grade)), label) for grade, label in GRADE_LABELS.items())]


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReferralListForm(PatientSearchForm):
    """A search text and the filters; sent by POST, so that no name is in an address or a server's log.

    The view validates the filters, which can also be parameters of the address.
    """

    state = forms.CharField(required=False, widget=forms.HiddenInput)
    site = forms.ChoiceField(label=_("Site"), required=False)
    urgency = forms.ChoiceField(label=_("Urgency"), required=False)
    late = forms.BooleanField(label=_("Late"), required=False, widget=forms.CheckboxInput(attrs={"value": "yes"}))

    def __init__(self, *args: Any, sites: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """``sites``: codes and names; a user with one site is not asked for it."""
        super().__init__(*args, **kwargs)
        urgencies = [(one.value, URGENCY_LABELS[one]) for one in (Urgency.IMMEDIATE, Urgency.SOON)]
        cast("forms.ChoiceField", self.fields["urgency"]).choices = [(ANY, pgettext("urgencies", "All")), *urgencies]
        cast("forms.ChoiceField", self.fields["site"]).choices = [(ANY, _("All")), *sites]
        if len(sites) < 2:
            del self.fields["site"]


class StepForm(forms.Form):
    """One step of a referral, from the state that the page showed."""

    from_state = forms.CharField(widget=forms.HiddenInput)
    to = forms.CharField(widget=forms.HiddenInput)
    happened_on = forms.DateField(label=_("On"), widget=_date_input())
    note = forms.CharField(
        label=_("Note"), required=False, max_length=max_length(ReferralEvent, "note"), help_text=_("Without names.")
    )

    def __init__(self, *args: Any, is_booking: bool = False, needs_note: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_booking:
            self.fields["happened_on"].label = _("Day of the appointment")
        if needs_note:
            self.fields["note"].label, self.fields["note"].required = _("Reason"), True


class FeedbackForm(forms.Form):
    """What the hospital found in each eye and did."""

    from_state = forms.CharField(widget=forms.HiddenInput)
    examined_on = forms.DateField(label=_("Examined on"), widget=_date_input())
    is_confirmed = forms.TypedChoiceField(
        label=_("Is what the patient was referred for confirmed?"),
        choices=[("yes", _("Yes")), ("no", _("No"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    right_grade = forms.ChoiceField(label=_("Right eye (OD): grade"), choices=GRADE_CHOICES, initial=NOT_STATED)
    left_grade = forms.ChoiceField(label=_("Left eye (OS): grade"), choices=GRADE_CHOICES, initial=NOT_STATED)
    right_oedema = forms.ChoiceField(
        label=_("Right eye (OD): macular oedema"), choices=MACULAR_OEDEMA_CHOICES, initial=MacularOedema.UNKNOWN.value
    )
    left_oedema = forms.ChoiceField(
        label=_("Left eye (OS): macular oedema"), choices=MACULAR_OEDEMA_CHOICES, initial=MacularOedema.UNKNOWN.value
    )
    treatment = forms.ChoiceField(label=_("Treatment"), choices=[("", "–"), *TREATMENT_CHOICES])
    note = forms.CharField(
        label=_("Note"), required=False, max_length=max_length(ReferralFeedback, "note"), help_text=_("Without names.")
    )

    field_order = (
        "from_state", "examined_on", "is_confirmed", "right_grade", "right_oedema", "left_grade", "left_oedema",
        "treatment", "note",
    )  # fmt: skip

    @property
    def result(self) -> dict[str, Any]:
        """The entries as the service takes them."""
        data = self.cleaned_data
        sides = {Laterality.RIGHT: "right", Laterality.LEFT: "left"}
        grades = {eye: data[f"{side}_grade"] for eye, side in sides.items()}
        return {
            "from_state": data["from_state"],
            "examined_on": data["examined_on"],
            "is_confirmed": data["is_confirmed"],
            "grades": {eye: None if one == NOT_STATED else ICDRGrade(int(one)) for eye, one in grades.items()},
            "oedema": {eye: MacularOedema(data[f"{side}_oedema"]) for eye, side in sides.items()},
            "treatment": Treatment(data["treatment"]),
            "note": data["note"],
        }
