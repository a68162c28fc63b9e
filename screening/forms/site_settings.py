"""The form of a group of settings of a site."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from screening.forms.timezones import TimezoneField, timezone_choices
from screening.labels.site_settings import language_text
from screening.labels.visit_facts import REQUIRABLE_FACTS
from screening.models import Site, SiteSettingsVersion
from screening.models.base import max_length
from screening.policy.site_settings import SETTINGS, SettingsGroup
from screening.selectors.site_settings import settings_of

if TYPE_CHECKING:
    _SiteForm = forms.ModelForm[Site]
else:
    _SiteForm = forms.ModelForm


class SettingsForm(_SiteForm):
    """The settings of one group, with the reason. ``base``: the values when the page was opened, as JSON."""

    timezone = TimezoneField()
    message_language = forms.ChoiceField(label=gettext_lazy("Language of messages"), required=False)
    required_facts = forms.MultipleChoiceField(
        label=gettext_lazy("Facts required of a visit"),
        choices=list(REQUIRABLE_FACTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Without one of them an exam is submitted only after a confirmation."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason of the change"),
        max_length=max_length(SiteSettingsVersion, "reason"),
        help_text=gettext_lazy("It is shown in the history."),
        error_messages={"required": gettext_lazy("Enter the reason for the change.")},
    )
    base = forms.CharField(widget=forms.HiddenInput)

    class Meta:
        model = Site
        fields = tuple(name for names in SETTINGS.values() for name in names)
        widgets = {"reading_mode": forms.RadioSelect, "photographers_see_grades": forms.RadioSelect}

    def __init__(
        self, data: Any = None, *, site: Site, group: SettingsGroup, entered: dict[str, Any] | None = None
    ) -> None:
        """``entered``: values to show in place of the stored ones."""
        self.group = group
        initial = {"base": json.dumps(settings_of(site, group))} | (entered or {})
        super().__init__(data, instance=site, initial=initial)
        for name in set(self.Meta.fields) - set(SETTINGS[group]):
            del self.fields[name]
        self.order_fields([*SETTINGS[group], "reason", "base"])
        if group is SettingsGroup.GENERAL:
            fields: dict[str, Any] = self.fields
            fields["timezone"].choices = timezone_choices(site.timezone)
            fields["message_language"].choices = _language_choices()

    def clean_base(self) -> dict[str, Any]:
        """Raises ValidationError unless it has the settings of the group, as the page wrote them."""
        try:
            base = json.loads(self.cleaned_data["base"])
        except ValueError:
            base = None
        if not isinstance(base, dict) or set(base) != set(SETTINGS[self.group]):
            raise forms.ValidationError(_("The form is not complete. Reload the page."))
        return base

    @property
    def values(self) -> dict[str, Any]:
        """The entered settings of a valid form."""
        return {name: self.cleaned_data[name] for name in SETTINGS[self.group]}


def _language_choices() -> list[tuple[str, str]]:
    names = sorted(((code, language_text(code)) for code, _name in settings.MESSAGE_LANGUAGES), key=lambda one: one[1])
    return [("", language_text("")), *names]
