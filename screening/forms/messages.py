"""Forms of messages: one to a person, the filters of the log, a text."""

import datetime
import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from screening.labels.messages import KIND_LABELS
from screening.models import MessageTemplate, Site
from screening.models.base import max_length
from screening.policy.letters import TextChannel
from screening.policy.messages import KINDS_OF_ONE, MessageChannel, MessageKind


class MessageForm(forms.Form):
    """A message to one person; day and time are those of an appointment."""

    kind = forms.ChoiceField(label=_("Message"), choices=[(kind.value, KIND_LABELS[kind]) for kind in KINDS_OF_ONE])
    day = forms.DateField(
        label=_("Day of the appointment"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label=_("Time of the appointment"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for an appointment without a day or a time."""
        data = super().clean() or {}
        if data.get("kind") == MessageKind.APPOINTMENT:
            for name in ("day", "time"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, _("Fill this in: the person reads it in the message."))
        return data

    def values(self, site: Site) -> dict[str, Any]:
        """The message of a valid form, as the service takes it; the time is that of the site."""
        data, kind = self.cleaned_data, MessageKind(self.cleaned_data["kind"])
        if kind is not MessageKind.APPOINTMENT:
            return {"kind": kind, "appointment_at": None}
        return {"kind": kind, "appointment_at": datetime.datetime.combine(data["day"], data["time"], tzinfo=site.zone)}


class BatchForm(forms.Form):
    """Sending messages to the people of a list; ``batch`` is the same in each repetition of one form."""

    batch = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class LanguageForm(forms.Form):
    """The language whose texts are listed."""

    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """All languages of this installation, by name."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["language"]
        field.choices = sorted(settings.MESSAGE_LANGUAGES, key=lambda one: str(one[1]))


class TextForm(forms.Form):
    """Subject and text for one kind, channel and language; ``base`` is the version that the page shows."""

    subject = forms.CharField(label=_("Subject"), max_length=max_length(MessageTemplate, "subject"), required=False)
    body = forms.CharField(
        label=_("Text"),
        max_length=max_length(MessageTemplate, "body"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10}),
    )
    reason = forms.CharField(
        label=_("Reason for the change"), max_length=max_length(MessageTemplate, "reason"), required=False
    )
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, channel: TextChannel, **kwargs: Any) -> None:
        """A text message has no subject."""
        super().__init__(*args, **kwargs)
        if channel is MessageChannel.SMS:
            del self.fields["subject"]

    @property
    def text(self) -> tuple[str, str]:
        """Subject and body of a valid form."""
        return self.cleaned_data.get("subject", ""), self.cleaned_data["body"].replace("\r\n", "\n")
