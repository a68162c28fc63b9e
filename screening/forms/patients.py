"""Forms of patients."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from screening.birth_dates import MAX_AGE_YEARS, InvalidBirthDate, parse_birth_date
from screening.folding import MAX_FOLDED_CHARS, is_too_short_for_names
from screening.forms.addresses import AddressField
from screening.forms.stored_values import BASE, BaseField
from screening.labels.births import BIRTH_DATE_ADVICE, BIRTH_DATE_NEEDED
from screening.labels.messages import CONSENT_CHOICES
from screening.models import Patient, Site
from screening.models.base import max_length
from screening.stored_values import entered_values

PATIENT_FIELDS = (
    "mrn", "family_name", "given_name", "born_on", "estimated_age", "sex", "diabetes_type", "diabetes_since_year",
    "phone", "email", "postal_address", "doctor_address", "language", "email_consent", "sms_consent",
)  # fmt: skip
_BIRTH_CONTRADICTS = _("The birth date or the age is filled in. Remove it, or remove this mark.")


class PatientForm(forms.Form):
    """A patient's details, to register or to correct. Valid, it has those that differ from ``base`` in the form."""

    mrn = forms.CharField(
        label=_("Medical record number"),
        max_length=max_length(Patient, "mrn"),
        help_text=_("The patient's number at this site. It identifies the patient; the name does not."),
    )
    family_name = forms.CharField(
        label=_("Family name"),
        max_length=max_length(Patient, "family_name"),
        required=False,
        help_text=_("One name suffices: leave the other one empty."),
    )
    given_name = forms.CharField(label=_("Given name"), max_length=max_length(Patient, "given_name"), required=False)
    born_on = forms.CharField(
        label=_("Birth date"),
        max_length=40,
        required=False,
        help_text=_("Year, month, day: 1960-05-17. If no more is known: 1960-05 or 1960."),
    )
    estimated_age = forms.IntegerField(
        label=_("Or: estimated age (years)"),
        required=False,
        min_value=0,
        max_value=MAX_AGE_YEARS,
        help_text=_("If the birth date is not known. Stored as an estimate, with the day on which it was made."),
    )
    is_birth_unknown = forms.BooleanField(label=_("Neither date nor age is known"), required=False)
    sex = forms.ChoiceField(label=_("Sex"), choices=Patient.Sex.choices, initial=Patient.Sex.UNKNOWN)
    diabetes_type = forms.ChoiceField(
        label=_("Diabetes"), choices=Patient.DiabetesType.choices, initial=Patient.DiabetesType.UNKNOWN
    )
    diabetes_since_year = forms.IntegerField(
        label=_("Diabetes since (year)"),
        required=False,
        min_value=1900,
        max_value=2100,
        help_text=_("Leave empty if unknown."),
    )
    phone = forms.CharField(label=_("Telephone number"), max_length=max_length(Patient, "phone"), required=False)
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=max_length(Patient, "email"),
        required=False,
        error_messages={"invalid": _("This is no e-mail address. Write it like name@example.org.")},
    )
    postal_address = AddressField(
        label=_("Postal address"), help_text=_("For letters, as on an envelope, without the name.")
    )
    doctor_address = AddressField(
        label=_("Name and address of the doctor"), help_text=_("The general practitioner, or who referred the person.")
    )
    language = forms.ChoiceField(label=_("Language of messages and letters"), required=False)
    email_consent = forms.ChoiceField(label=_("Messages by e-mail?"), choices=CONSENT_CHOICES, required=False)
    sms_consent = forms.ChoiceField(
        label=_("Text messages?"),
        choices=CONSENT_CHOICES,
        required=False,
        help_text=_("Ask the person. Messages name no disease and no result."),
    )
    base = BaseField()

    field_order = ("site", "mrn", "family_name", "given_name", "born_on", "estimated_age", "is_birth_unknown", "sex")

    def __init__(self, *args: Any, sites: QuerySet[Site] | None, **kwargs: Any) -> None:
        """``sites``: choices for the site of a new patient, hidden if there is only one; None: no choice of site."""
        super().__init__(*args, **kwargs)
        if sites is not None:
            first_two = list(sites[:2])
            self.fields["site"] = forms.ModelChoiceField(
                sites,
                label=_("Site"),
                empty_label=None,
                initial=next(iter(first_two), None),
                widget=forms.HiddenInput if len(first_two) == 1 else forms.Select,
            )
            self.order_fields(self.field_order)
        languages: Any = self.fields["language"]
        languages.choices = [
            ("", _("As usual at this site")),
            *sorted(settings.MESSAGE_LANGUAGES, key=lambda one: str(one[1])),
        ]
        for name in (
            "mrn",
            "family_name",
            "given_name",
            "born_on",
            "estimated_age",
            "phone",
            "email",
            "postal_address",
        ):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    @classmethod
    def of(cls, patient: Patient, data: Any = None) -> "PatientForm":
        """The form with the stored details of a patient."""
        stored = {name: getattr(patient, name) for name in PATIENT_FIELDS}
        initial = {**stored, "is_birth_unknown": not patient.birth.is_known, BASE: stored}
        return cls(data, initial=initial, sites=None)

    def clean_born_on(self) -> str:
        """The date as YYYY-MM-DD, YYYY-MM or YYYY. Raises ValidationError for another text."""
        try:
            return parse_birth_date(self.cleaned_data["born_on"])
        except InvalidBirthDate as error:
            raise forms.ValidationError(BIRTH_DATE_ADVICE) from error

    def clean(self) -> dict[str, Any]:
        """The details as the service takes them. Raises ValidationError unless the birth is given or marked unknown."""
        details = {**self.cleaned_data}
        self.opened_with: dict[str, Any] = details.pop(BASE, {})
        is_unknown = details.pop("is_birth_unknown", False)
        is_given = bool(details.get("born_on")) or details.get("estimated_age") is not None
        if not self.errors and is_given == is_unknown:
            self.add_error(
                "is_birth_unknown" if is_given else "born_on", _BIRTH_CONTRADICTS if is_given else BIRTH_DATE_NEEDED
            )
        return entered_values(details, self.opened_with)


class PatientSearchForm(forms.Form):
    """A search text; sent by POST so that no name is in an address or a server's log."""

    text = forms.CharField(
        label=_("Medical record number or name"),
        max_length=MAX_FOLDED_CHARS,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )

    def finds_numbers_only(self) -> bool:
        """Whether the text is one letter, for which names are not searched."""
        return self.is_bound and is_too_short_for_names(self.data.get("text", ""))
