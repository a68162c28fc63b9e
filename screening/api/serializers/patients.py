"""Patients and sites."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.birth_dates import MAX_AGE_YEARS, InvalidBirthDate, parse_birth_date
from screening.folding import MAX_FOLDED_CHARS
from screening.labels.addresses import ADDRESS_HELP
from screening.labels.births import BIRTH_DATE_ADVICE, BIRTH_DATE_NEEDED
from screening.labels.messages import CONSENT_CHOICES
from screening.labels.models import MODEL_CHOICES
from screening.models import Patient, Site
from screening.models.base import max_length
from screening.postal_addresses import MAX_ADDRESS_CHARS
from screening.selectors import due_on


class SiteSerializer(serializers.ModelSerializer[Site]):
    """A site where the user has a role."""

    model = serializers.ChoiceField(MODEL_CHOICES, source="served_model", help_text="The model that grades its exams.")

    class Meta:
        model = Site
        fields = ("id", "code", "name", "timezone", "reading_mode", "model")
        read_only_fields = fields


class BirthDateField(serializers.CharField):
    """YYYY-MM-DD, YYYY-MM or YYYY, or null if the birth date is not known or only an age is estimated."""

    def __init__(self, **options: Any) -> None:
        help_text = "YYYY-MM-DD, or YYYY-MM or YYYY if no more is known. Null: not known, or `estimated_age`."
        super().__init__(**{"allow_null": True, "allow_blank": True, "help_text": help_text, **options})

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for a text that is not a date."""
        try:
            return parse_birth_date(super().to_internal_value(data))
        except InvalidBirthDate as error:
            raise serializers.ValidationError(BIRTH_DATE_ADVICE) from error

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]  # null if unknown
        """Null instead of an empty text."""
        return value or None


class NumberField(serializers.CharField):
    """A medical record number or a telephone number: a string, because leading zeros count."""

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for a JSON number."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Send the number as a string in quotes: leading zeros count."))
        return super().to_internal_value(data)


class AddressField(serializers.CharField):
    """Lines of an address, divided by line feeds."""

    def __init__(self, help_text: str, **options: Any) -> None:
        options |= {"max_length": MAX_ADDRESS_CHARS, "allow_blank": True, "default": ""}
        super().__init__(help_text=f"{help_text} {ADDRESS_HELP}", **options)


class PatientSerializer(serializers.ModelSerializer[Patient]):
    """A person registered at a site, identified there by the MRN and in the API by `id`."""

    site = serializers.SlugField(source="site.code", read_only=True, help_text="Code of the site.")
    born_on = BirthDateField(read_only=True)
    due_on = serializers.SerializerMethodField(
        help_text="When the next screening is due: the recall date of the last valid result, today without any. "
        "Null while the referral of that result is open."
    )
    register_until = serializers.DateField(
        allow_null=True, read_only=True, help_text="Last day of a suspension or an opt-out; eligible again after it."
    )
    merged_into = serializers.UUIDField(
        source="merged_into_id", allow_null=True, read_only=True, help_text="The record that has the exams of this one."
    )

    class Meta:
        model = Patient
        fields = (
            "id",
            "site",
            "mrn",
            "given_name",
            "family_name",
            "born_on",
            "estimated_age",
            "age_estimated_on",
            "sex",
            "diabetes_type",
            "diabetes_since_year",
            "phone",
            "email",
            "postal_address",
            "doctor_address",
            "language",
            "email_consent",
            "sms_consent",
            "created_at",
            "due_on",
            "register_status",
            "register_until",
            "merged_into",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_due_on(self, patient: Patient) -> datetime.date | None:
        """From the annotations of the selectors."""
        return due_on(patient)


class NewPatientSerializer(serializers.ModelSerializer[Patient]):
    """A new patient. One of the names suffices. Either `born_on`, which may be null, or `estimated_age` is needed."""

    site = serializers.SlugField(
        required=False, help_text="Code of the site. Optional if the user registers patients at one site only."
    )
    mrn = NumberField(
        max_length=max_length(Patient, "mrn"), help_text="Stored as sent: capitals, dashes and leading zeros count."
    )
    born_on = BirthDateField(required=False)
    estimated_age = serializers.IntegerField(
        min_value=0, max_value=MAX_AGE_YEARS, allow_null=True, default=None, help_text="In years, without `born_on`."
    )
    age_estimated_on = serializers.DateField(
        allow_null=True, default=None, help_text="Day of the estimate. Today if it is not given."
    )
    sex = serializers.ChoiceField(Patient.Sex.choices, default=Patient.Sex.UNKNOWN)
    diabetes_type = serializers.ChoiceField(Patient.DiabetesType.choices, default=Patient.DiabetesType.UNKNOWN)
    phone = NumberField(max_length=max_length(Patient, "phone"), allow_blank=True, default="")
    diabetes_since_year = serializers.IntegerField(min_value=1900, max_value=2100, allow_null=True, default=None)
    email_consent = serializers.ChoiceField(
        CONSENT_CHOICES, default="", help_text="Whether the person wants messages by e-mail; empty: not asked."
    )
    sms_consent = serializers.ChoiceField(
        CONSENT_CHOICES, default="", help_text="Whether the person wants text messages; empty: not asked."
    )
    language = serializers.CharField(
        max_length=max_length(Patient, "language"),
        allow_blank=True,
        default="",
        help_text="Of messages and letters, such as `en` or `pt-br`; empty: that of the site.",
    )
    postal_address = AddressField(help_text="For letters, without the name.")
    doctor_address = AddressField(help_text="Name and address of the general practitioner or of who referred.")
    confirm = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=100,
        default=list,
        help_text="`confirm` of a 409, after a person has checked that this is another patient or the right number.",
    )

    class Meta:
        model = Patient
        fields = (
            "site",
            "mrn",
            "given_name",
            "family_name",
            "born_on",
            "estimated_age",
            "age_estimated_on",
            "sex",
            "diabetes_type",
            "diabetes_since_year",
            "phone",
            "email",
            "postal_address",
            "doctor_address",
            "language",
            "email_consent",
            "sms_consent",
            "confirm",
        )
        extra_kwargs = {name: {"allow_null": True} for name in ("given_name", "family_name")}
        validators: tuple[Any, ...] = ()  # the service checks that the MRN is unique, and gives the existing patient

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null is an empty text. Raises ValidationError if nothing is given about the birth."""
        if "born_on" not in attrs and attrs["estimated_age"] is None:
            raise serializers.ValidationError({"born_on": BIRTH_DATE_NEEDED})
        texts = {name: attrs.get(name) or "" for name in ("given_name", "family_name", "born_on")}
        return {**attrs, **texts}


class PatientChangesSerializer(NewPatientSerializer):
    """Changed details of a patient; details that are not sent stay."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "partial": True})
        self.fields.pop("site")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null is an empty text."""
        texts: dict[str, Any] = {
            name: attrs[name] or "" for name in ("given_name", "family_name", "born_on") if name in attrs
        }
        return {**attrs, **texts}


class PatientSearchSerializer(serializers.Serializer[Any]):
    """A search, by `mrn` or by `text`. It is in the body, so that no MRN and no name reaches a URL or a log."""

    mrn = NumberField(
        max_length=max_length(Patient, "mrn"),
        required=False,
        help_text="The medical record number, or its first characters.",
    )
    match = serializers.ChoiceField(
        (("exact", _("The whole number")), ("prefix", _("The first characters"))),
        default="exact",
        help_text="`exact` for the whole number as it is stored, `prefix` for its first characters. `prefix` ignores "
        "case, blanks, kinds of dashes and the form of digits.",
    )
    text = serializers.CharField(
        max_length=MAX_FOLDED_CHARS,
        required=False,
        help_text="The beginning of the number or of each name, without regard to case and accents, as on the page. "
        "One letter finds exact numbers only.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError unless one of ``mrn`` and ``text`` is given."""
        if ("mrn" in attrs) == ("text" in attrs):
            raise serializers.ValidationError({"mrn": _("Send “mrn” or “text”, and not both.")})
        return attrs
