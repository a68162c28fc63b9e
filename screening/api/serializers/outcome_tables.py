"""Outcome tables of a site."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.labels.outcome_tables import combination_text, result_text
from screening.models import SiteOutcomeTable
from screening.policy import GradingScale, OutcomeRule, OutcomeTable
from screening.policy.default_outcomes import source_of
from screening.selectors.outcome_tables import TableInForce


class OutcomeRuleSerializer(serializers.Serializer[OutcomeRule]):
    """One rule: what is found in an eye, and what follows. An empty condition stands for any finding."""

    code = serializers.CharField(help_text="Names the rule within its table, as in `outcome_rules` of a review.")
    grade = serializers.CharField(help_text="Such as `grade_2` (ICDR) or `scale_R2L`.")
    macula = serializers.CharField(help_text="Such as `oedema_centre`.")
    acuity = serializers.CharField(
        help_text="`acuity_reduced` (6/12 or worse), `acuity_not_reduced`, `acuity_unknown`."
    )
    treatment = serializers.CharField(help_text="`treated`, `not_treated`, `treatment_unknown`.")
    outcome = serializers.CharField()
    urgency = serializers.CharField()
    months = serializers.IntegerField(help_text="Months to the next screening.")
    text = serializers.SerializerMethodField(help_text="The rule in words.")
    default_source = serializers.SerializerMethodField(
        help_text="Source of the default for this finding; empty if there is none."
    )

    def get_text(self, rule: OutcomeRule) -> str:
        """What is found, and what follows."""
        found = combination_text(self.context["scale"], rule.conditions)
        return f"{found}: {result_text(rule.outcome, rule.urgency, rule.months)}"

    def get_default_source(self, rule: OutcomeRule) -> str:
        """That of the built-in table."""
        return source_of(self.context["scale"], rule.code)


class OutcomeTableSerializer(serializers.ModelSerializer[SiteOutcomeTable]):
    """One version of the outcome table of a site for one scale. It never changes: a change adds a version."""

    site = serializers.UUIDField(source="site_id")
    created_by = serializers.UUIDField(source="created_by_id", help_text="The manager who stored it.")
    rules = serializers.SerializerMethodField()
    negative_months = serializers.IntegerField(
        allow_null=True, help_text="Months after two negative screens in a row; null: as after one."
    )
    pregnancy_months = serializers.IntegerField(allow_null=True, help_text="Months at most in pregnancy.")

    class Meta:
        model = SiteOutcomeTable
        fields = (
            "id",
            "site",
            "scale",
            "number",
            "valid_from",
            "created_at",
            "created_by",
            "reason",
            "rules",
            "negative_months",
            "pregnancy_months",
        )
        read_only_fields = fields

    @extend_schema_field(OutcomeRuleSerializer(many=True))
    def get_rules(self, row: SiteOutcomeTable) -> Any:
        """In the order of the table."""
        return rules_of(row.table)


class TableInForceSerializer(serializers.Serializer[TableInForce]):
    """The rules that count today at a site: a version of the site, or the built-in rules."""

    outcome_table = serializers.UUIDField(source="stored.id", allow_null=True, default=None)
    built_in_version = serializers.IntegerField(allow_null=True, help_text="Null for a version of the site.")
    scale = serializers.CharField(source="table.scale")
    rules = serializers.SerializerMethodField()
    negative_months = serializers.IntegerField(source="table.negative_months", allow_null=True)
    pregnancy_months = serializers.IntegerField(source="table.pregnancy_months", allow_null=True)

    @extend_schema_field(OutcomeRuleSerializer(many=True))
    def get_rules(self, found: TableInForce) -> Any:
        """In the order of the table."""
        return rules_of(found.table)


def rules_of(table: OutcomeTable) -> Any:
    """The rules of a table as JSON."""
    rules: Any = table.rules
    return OutcomeRuleSerializer(rules, many=True, context={"scale": GradingScale(table.scale)}).data
