"""The form that begins a re-grading."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from screening.labels.models import SHORT_MODEL_LABELS
from screening.models import Regrading
from screening.models.base import max_length


class _Day(forms.DateInput):
    def __init__(self) -> None:
        super().__init__({"type": "date"}, format="%Y-%m-%d")


class RegradingForm(forms.Form):
    """Model, days of exams, and why. ``regrading``: the id of the job, so that a form sent twice begins one."""

    model = forms.ChoiceField(label=_("Model"))
    from_on = forms.DateField(label=_("Exams from"), widget=_Day)
    to_on = forms.DateField(label=_("Exams until"), widget=_Day)
    reason = forms.CharField(label=_("Reason"), max_length=max_length(Regrading, "reason"))
    regrading = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["model"]
        field.choices = [(model.value, SHORT_MODEL_LABELS[model]) for model in settings.GRADING_MODELS]
