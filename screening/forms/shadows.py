"""Forms of registered bundles and of shadow mode."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.models import RegisteredBundle, SiteShadow
from screening.models.base import max_length


class BundleForm(forms.Form):
    """A folder of MODELS_DIR, and the hash that its makers state."""

    folder = forms.ChoiceField(label=_("Folder"))
    sha256 = forms.CharField(
        label=_("SHA-256 of bundle.json"),
        max_length=80,
        help_text=_("As the release of the model states it, not as it is computed from the folder."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=max_length(RegisteredBundle, "reason"))

    def __init__(self, *args: Any, folders: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["folder"]
        field.choices = [(name, name) for name in folders]


class BundleUploadForm(forms.Form):
    """An archive of a bundle, and the hash that its makers state. The service has the limits of its content."""

    file = forms.FileField(label=_("ZIP archive of the bundle"), widget=forms.FileInput({"accept": ".zip"}))
    sha256 = forms.CharField(
        label=_("SHA-256 of bundle.json"),
        max_length=80,
        help_text=_("As the release of the model states it, not as it is computed from the folder."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=max_length(RegisteredBundle, "reason"))


class ShadowForm(forms.Form):
    """The bundle that a site tries; empty: none. ``base``: the newest row when the page was opened."""

    bundle = forms.ModelChoiceField(
        RegisteredBundle.objects.order_by("model_version"), label=_("Model"), required=False, empty_label=_("None")
    )
    since = forms.DateField(
        label=_("Exams since"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=_("Reason"), max_length=max_length(SiteShadow, "reason"))
    base = forms.UUIDField(widget=forms.HiddenInput, required=False)
