"""The form of the bundle that grades at a site."""

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.models import BundleActivation, RegisteredBundle
from screening.models.base import max_length


class ActivationForm(forms.Form):
    """The registered bundle; empty: the released model. ``base``: the newest row when the page was opened."""

    bundle = forms.ModelChoiceField(
        RegisteredBundle.objects.order_by("model_version"),
        label=_("Model"),
        required=False,
        empty_label=_("The released model"),
    )
    reason = forms.CharField(label=_("Reason"), max_length=max_length(BundleActivation, "reason"))
    base = forms.UUIDField(widget=forms.HiddenInput, required=False)
