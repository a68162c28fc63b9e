"""Patients, and what is sent to register or to find them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from screening.models import Patient, Site
from screening.models.base import max_length


class SiteSerializer(serializers.ModelSerializer[Site]):
    """A clinic where the caller has a role."""

    class Meta:
        model = Site
        fields = ("id", "code", "name", "timezone", "reading_mode")
        read_only_fields = fields


class PatientSerializer(serializers.ModelSerializer[Patient]):
    """A person registered at a site, identified there by the MRN and here by `id`."""

    site = serializers.SlugField(source="site.code", read_only=True, help_text="Code of the site.")

    class Meta:
        model = Patient
        fields = (
            "id",
            "site",
            "mrn",
            "given_name",
            "family_name",
            "born_on",
            "sex",
            "diabetes_type",
            "diabetes_since_year",
            "created_at",
        )
        read_only_fields = fields


class NewPatientSerializer(serializers.ModelSerializer[Patient]):
    """What is needed to register a patient."""

    site = serializers.SlugField(
        required=False, help_text="Code of the site; may be left out by a key that has one site only."
    )
    sex = serializers.ChoiceField(Patient.Sex.choices, default=Patient.Sex.UNKNOWN)
    diabetes_type = serializers.ChoiceField(Patient.DiabetesType.choices, default=Patient.DiabetesType.UNKNOWN)
    diabetes_since_year = serializers.IntegerField(min_value=1900, max_value=2100, allow_null=True, default=None)

    class Meta:
        model = Patient
        fields = (
            "site",
            "mrn",
            "given_name",
            "family_name",
            "born_on",
            "sex",
            "diabetes_type",
            "diabetes_since_year",
        )
        # Site and MRN together are judged by the service, which says which patient has them.
        validators: tuple[Any, ...] = ()


class PatientSearchSerializer(serializers.Serializer[Any]):
    """Whom to look for. Sent in the body: a number must not reach an address or a log."""

    mrn = serializers.CharField(
        max_length=max_length(Patient, "mrn"), help_text="The medical record number, or how it begins."
    )
    match = serializers.ChoiceField(
        (("exact", _("The whole number")), ("prefix", _("How it begins"))),
        default="exact",
        help_text="`exact` for the whole number, `prefix` for how it begins.",
    )
