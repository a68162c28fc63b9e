"""Forms of teaching sets."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from screening.models import Site, TeachingSet
from screening.models.base import max_length


class TeachingSetForm(forms.Form):
    """A new set; the site is asked for only if there are several."""

    site = forms.ModelChoiceField(label=_("Site"), queryset=Site.objects.none(), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=max_length(TeachingSet, "name"))
    note = forms.CharField(
        label=_("Note"),
        max_length=max_length(TeachingSet, "note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    shows_truth = forms.ChoiceField(
        label=_("Readers see what was signed"), choices=TeachingSet.ShowsTruth.choices, initial="each"
    )

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["site"]
        field.queryset = sites.order_by("name", "pk")
        if len(sites) == 1:
            field.initial = sites[0]
            field.widget = forms.HiddenInput()


class TeachingCaseForm(forms.Form):
    """The set to which an exam is added."""

    set = forms.UUIDField(
        error_messages={"required": _("Choose a teaching set."), "invalid": _("Choose a teaching set.")}
    )
