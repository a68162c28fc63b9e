"""Forms of programmes: name, sites, and the invitation of a manager."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.forms.staff import InvitationForm
from screening.models import Programme, Site

if TYPE_CHECKING:
    _ProgrammeForm = forms.ModelForm[Programme]
    _SitesField = forms.ModelMultipleChoiceField[Site]
else:
    _ProgrammeForm = forms.ModelForm
    _SitesField = forms.ModelMultipleChoiceField


class ProgrammeForm(_ProgrammeForm):
    """The name of a programme."""

    class Meta:
        model = Programme
        fields = ("name",)


class SitesField(_SitesField):
    """Sites, each with the programme that it is in."""

    def label_from_instance(self, obj: Any) -> str:
        """The name of the site and of its programme."""
        return f"{obj.name} ({obj.programme.name})" if obj.programme is not None else str(obj.name)


class ProgrammeSitesForm(forms.Form):
    """The sites of a programme. A site of another one leaves that."""

    sites = SitesField(
        label=_("Sites of this programme"),
        queryset=Site.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A site is in one programme at most. Its managers and settings stay."),
    )

    base = forms.JSONField(widget=forms.HiddenInput, required=False)  # {} is a value

    def __init__(self, data: Any = None, *, programme: Programme) -> None:
        in_programmes = Site.objects.filter(is_active=True, practice_of=None, programme__isnull=False)
        self.present = {str(pk): str(one) for pk, one in in_programmes.order_by("pk").values_list("pk", "programme")}
        chosen = list(programme.sites.values_list("pk", flat=True))
        super().__init__(data, initial={"sites": chosen, "base": self.present})
        sites: Any = self.fields["sites"]
        sites.queryset = (
            Site.objects.filter(is_active=True, practice_of=None).select_related("programme").order_by("name", "pk")
        )

    def clean_base(self) -> dict[str, str]:
        """The programme of each site when the page was opened. Raises ValidationError."""
        base = self.cleaned_data["base"]
        if not isinstance(base, dict) or not all(isinstance(one, str) for one in base.values()):
            raise forms.ValidationError(_("Reload the page."))
        return base

    def refuse(self, message: str) -> None:
        """Show a conflict, with what is stored now as what the page was opened with."""
        self.add_error(None, message)
        data: Any = self.data
        data = data.copy()
        data["base"] = json.dumps(self.present)
        self.data = data


class ManagerInvitationForm(InvitationForm):
    """An invitation to manage a programme."""

    def __init__(self, *args: Any, has_mail: bool, **kwargs: Any) -> None:
        super().__init__(*args, has_mail=has_mail, **kwargs)
        del self.fields["roles"]
