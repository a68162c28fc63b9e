"""The form of an outcome table: its rules, the intervals of the whole patient, and from when it counts."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.labels.outcome_tables import FACT_LABELS, code_label, limit_text, macula_label
from screening.labels.reviews import OUTCOME_LABELS, URGENCY_LABELS
from screening.models import SiteOutcomeTable
from screening.models.base import max_length
from screening.policy import GradingScale, Outcome, OutcomeRule, OutcomeTable, Urgency
from screening.policy.default_outcomes import source_of
from screening.policy.outcome_limits import MAX_RULES, NEGATIVE_MONTHS_RANGE, PREGNANCY_MONTHS_RANGE, limits_of
from screening.policy.outcome_tables import ACUITIES, CHOOSABLE_URGENCIES, TREATMENTS, grades_of, maculae_of

_ANY = ("", _("Any"))
_CONDITIONS = ("grade", "macula", "acuity", "treatment")
PREFIX = "rules"


class OutcomeRuleForm(forms.Form):
    """One rule: what is found in an eye, and what follows."""

    grade = forms.ChoiceField(label=_("Grade"), required=False)
    macula = forms.ChoiceField(label=_("Macular oedema"), required=False)
    acuity = forms.ChoiceField(
        label=_("Visual acuity"), required=False, choices=[_ANY, *((code, FACT_LABELS[code]) for code in ACUITIES)]
    )
    treatment = forms.ChoiceField(
        label=_("Treatment"), required=False, choices=[_ANY, *((code, FACT_LABELS[code]) for code in TREATMENTS)]
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=[(one.value, OUTCOME_LABELS[one]) for one in CHOOSABLE_URGENCIES]
    )
    urgency = forms.ChoiceField(label=_("Urgency"), choices=[(one.value, URGENCY_LABELS[one]) for one in Urgency])
    months = forms.IntegerField(label=_("Months to the next screening"), min_value=1, max_value=24)

    def __init__(self, *args: Any, scale: GradingScale, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scale = scale
        grade, macula = (self.fields[name] for name in ("grade", "macula"))
        grade.choices = [_ANY, *((code, code_label(scale, code)) for code in grades_of(scale))]  # type: ignore[attr-defined]
        macula.choices = [_ANY, *((code, macula_label(code)) for code in maculae_of(scale))]  # type: ignore[attr-defined]

    @property
    def source(self) -> str:
        """The source of the default rule for the same finding; empty if there is none."""
        return source_of(self.scale, "+".join(self._conditions))

    @property
    def limit(self) -> str:
        """What a table can choose for the same finding, in words; empty if no limit names it."""
        return limit_text(limits_of(self.scale, self._conditions))

    @property
    def _conditions(self) -> tuple[str, ...]:
        return tuple(str(code) for code in (self[name].value() for name in _CONDITIONS) if code)

    @property
    def rule(self) -> OutcomeRule:
        """The rule of a valid form."""
        data = self.cleaned_data
        return OutcomeRule(
            **{name: data[name] for name in _CONDITIONS},
            outcome=Outcome(data["outcome"]),
            urgency=Urgency(data["urgency"]),
            months=data["months"],
        )


class OutcomeTableForm(forms.Form):
    """The intervals of the whole patient, the day from which the table counts, and the reason for it."""

    negative_months = forms.IntegerField(
        label=_("Months after two screens in a row without retinopathy and macular oedema in both eyes"),
        required=False,
        min_value=NEGATIVE_MONTHS_RANGE[0],
        max_value=NEGATIVE_MONTHS_RANGE[1],
        help_text=_("12 to 24. Empty: as after one screen. The screens are at least 6 months apart."),
    )
    pregnancy_months = forms.IntegerField(
        label=_("Months at most in pregnancy"),
        required=False,
        min_value=PREGNANCY_MONTHS_RANGE[0],
        max_value=PREGNANCY_MONTHS_RANGE[1],
        help_text=_("1 to 3."),
    )
    valid_from = forms.DateField(
        label=_("Valid from"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Results that are signed from this day on follow from this table."),
    )
    reason = forms.CharField(label=_("Reason for the change"), max_length=max_length(SiteOutcomeTable, "reason"))
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class _RuleFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The rules of a table; those that are marked are left out."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")


_FormSet = forms.formset_factory(
    OutcomeRuleForm, formset=_RuleFormSet, extra=0, can_delete=True, max_num=MAX_RULES, validate_max=True
)


class TableEditor:
    """The forms of one table, either with the rules of ``table`` or with ``data`` that was sent."""

    def __init__(
        self, *, scale: GradingScale, table: OutcomeTable, base: int, today: datetime.date, data: Any = None
    ) -> None:
        self.scale = scale
        kwargs: dict[str, Any] = {"prefix": PREFIX, "form_kwargs": {"scale": scale}}
        initial = {
            "negative_months": table.negative_months,
            "pregnancy_months": table.pregnancy_months,
            "valid_from": today,
            "base": base,
        }
        self.form = OutcomeTableForm(data, initial=initial)
        self.rules: Any = _FormSet(data, initial=None if data else [_initial(rule) for rule in table.rules], **kwargs)

    def is_valid(self) -> bool:
        """Whether each field has a value; whether the table can be stored is the service's to check."""
        return all([self.form.is_valid(), self.rules.is_valid()])

    @property
    def table(self) -> OutcomeTable:
        """The table of valid forms."""
        kept = [form for form in self.rules.forms if form not in self.rules.deleted_forms]
        return OutcomeTable(
            scale=self.scale,
            rules=tuple(form.rule for form in kept),
            negative_months=self.form.cleaned_data["negative_months"],
            pregnancy_months=self.form.cleaned_data["pregnancy_months"],
        )


def with_another_rule(data: Any) -> Any:
    """The data of the forms with one more rule, empty but for its outcome."""
    changed, name = data.copy(), f"{PREFIX}-TOTAL_FORMS"
    try:
        n_rules = int(data.get(name, 0))
    except ValueError:
        return changed
    if 0 <= n_rules < MAX_RULES:
        changed[name] = str(n_rules + 1)
        changed[f"{PREFIX}-{n_rules}-months"] = ""
    return changed


def _initial(rule: OutcomeRule) -> dict[str, str | int]:
    names = (*_CONDITIONS, "outcome", "urgency", "months")
    return {name: getattr(rule, name) for name in names}
