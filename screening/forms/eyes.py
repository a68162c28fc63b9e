"""Forms for an eye without a gradable photograph."""

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.models import Exam
from screening.models.base import max_length


class NotPhotographedForm(forms.Form):
    """The reason why an eye has no photograph at this visit; an empty one removes the record."""

    reason = forms.CharField(
        label=_("Reason, for example: the patient cannot keep the eye open"),
        max_length=max_length(Exam, "right_eye_not_photographed_reason"),
        required=False,
        widget=forms.TextInput(attrs={"required": True}),  # only the button that removes the record sends none
    )


class AbsentEyeForm(forms.Form):
    """The reason why an eye can never be photographed; an empty one removes the record."""

    reason = forms.CharField(
        label=_("Reason, for example: prosthesis"),
        max_length=max_length(Exam, "right_eye_absent_reason"),
        required=False,
        widget=forms.TextInput(attrs={"required": True}),  # only the button that removes the record sends none
    )


class UnobtainableForm(forms.Form):
    """Why no gradable photograph of an eye can be obtained; an empty code removes the record."""

    code = forms.ChoiceField(
        label=_("Why?"), choices=Exam.Unobtainable.choices, widget=forms.RadioSelect, required=False
    )
    reason = forms.CharField(
        label=_("In words (needed for another reason)"),
        max_length=max_length(Exam, "right_eye_unobtainable_reason"),
        required=False,
    )
