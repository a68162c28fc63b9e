"""Teaching sets and certificates. No data of a person is part of them."""

from typing import Any

from rest_framework import serializers

from screening.models import TeachingCertificate, TeachingSet


class TeachingSetSerializer(serializers.ModelSerializer[TeachingSet]):
    """A set of signed exams that readers in training grade."""

    site = serializers.UUIDField(source="site_id")
    n_cases = serializers.IntegerField(help_text="Exams of the present version.")
    n_read = serializers.IntegerField(help_text="Those that you have read.")

    class Meta:
        model = TeachingSet
        fields = (
            "id",
            "site",
            "name",
            "note",
            "version",
            "shows_truth",
            "n_cases",
            "n_read",
            "archived_at",
            "created_at",
        )
        read_only_fields = fields


class TeachingCertificateSerializer(serializers.ModelSerializer[TeachingCertificate]):
    """The agreement of one reader with the signed findings of one version of a set. It never changes."""

    teaching_set = serializers.UUIDField(source="teaching_set_id")
    name = serializers.CharField(source="metrics.name", help_text="Name of the set on the day of issue.")
    reader = serializers.UUIDField(source="reader_id")
    n_eyes = serializers.IntegerField(source="metrics.n_eyes")
    n_graded = serializers.IntegerField(source="metrics.n_graded", help_text="Eyes that both graded: those of `kappa`.")
    kappa = serializers.FloatField(
        source="metrics.kappa", allow_null=True, help_text="With quadratic weights; null if it is undefined."
    )
    kappa_interval: Any = serializers.ListField(
        source="metrics.kappa_interval",
        child=serializers.FloatField(),
        allow_null=True,
        help_text="95 %, by a bootstrap over exams; null for fewer than 10 exams.",
    )
    sensitivity: Any = serializers.ListField(
        source="metrics.sensitivity",
        child=serializers.IntegerField(),
        help_text="Referable eyes that the reader called referable or ungradable, and all referable eyes.",
    )
    specificity: Any = serializers.ListField(
        source="metrics.specificity",
        child=serializers.IntegerField(),
        help_text="Other eyes that the reader called not referable, and all other eyes.",
    )

    class Meta:
        model = TeachingCertificate
        fields = (
            "id",
            "teaching_set",
            "name",
            "version",
            "reader",
            "n_cases",
            "n_eyes",
            "n_graded",
            "kappa",
            "kappa_interval",
            "sensitivity",
            "specificity",
            "digest",
            "created_at",
        )
        read_only_fields = fields
