"""Patients and sites."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from screening.models import Patient, Site
from screening.models.base import max_length


class SiteSerializer(serializers.ModelSerializer[Site]):
    """A site where the user has a role."""

    class Meta:
        model = Site
        fields = ("id", "code", "name", "timezone", "reading_mode")
        read_only_fields = fields


class PatientSerializer(serializers.ModelSerializer[Patient]):
    """A person registered at a site, identified there by the MRN and in the API by `id`."""

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
    """A new patient."""

    site = serializers.SlugField(
        required=False, help_text="Code of the site. Optional if the user registers patients at one site only."
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
        validators: tuple[Any, ...] = ()  # the service checks that the MRN is unique, and gives the existing patient


class PatientSearchSerializer(serializers.Serializer[Any]):
    """A search. It is in the body, so that no MRN reaches a URL or a log."""

    mrn = serializers.CharField(
        max_length=max_length(Patient, "mrn"), help_text="The medical record number, or its first characters."
    )
    match = serializers.ChoiceField(
        (("exact", _("The whole number")), ("prefix", _("The first characters"))),
        default="exact",
        help_text="`exact` for the whole number, `prefix` for its first characters.",
    )
