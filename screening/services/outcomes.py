"""The outcome of a review: what the findings of both eyes mean by the table in force."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import policy
from screening.labels.outcome_tables import combination_text
from screening.models import Exam, Review
from screening.policy.default_outcomes import FIRST_VERSION
from screening.selectors.images import photographed_days
from screening.selectors.outcome_facts import patient_facts
from screening.selectors.outcome_tables import outcome_table_in_force
from screening.selectors.visit_facts import visit_facts_of
from screening.services.findings import has_same_findings
from screening.services.structured_findings import ReviewError


@dataclass(frozen=True, slots=True)
class DecidedReview:
    """A decision with its recall date; ``table`` has the columns of a review that name the table and its rules."""

    decision: policy.Decision
    recall_on: datetime.date | None
    table: dict[str, Any]

    @property
    def columns(self) -> dict[str, Any]:
        """All columns of a review that follow from the decision."""
        outcome = {"outcome": self.decision.outcome, "urgency": self.decision.urgency, "recall_on": self.recall_on}
        return outcome | self.table


def decide_review(exam: Exam, eyes: Mapping[Laterality, policy.EyeResult], amends: Review | None) -> DecidedReview:
    """What follows from both eyes by the table that is in force today at the site.

    An amendment keeps outcome, recall date and table of the amended review, unless a finding or an acuity differs.
    Raises ReviewError if the table has no rule for an eye.
    """
    in_force = outcome_table_in_force(exam.site)
    decision = _decide(exam, eyes, in_force.table)
    if amends is not None and has_same_findings(amends, eyes) and _has_same_rules(exam, eyes, amends):
        kept = {name: getattr(amends, name) for name in ("outcome_table", "built_in_version", "outcome_rules")}
        outcome, urgency = policy.Outcome(amends.outcome), policy.Urgency(amends.urgency)
        return DecidedReview(replace(decision, outcome=outcome, urgency=urgency), amends.recall_on, kept)
    table = {
        "outcome_table": in_force.stored,
        "built_in_version": in_force.built_in_version,
        "outcome_rules": list(decision.rules),
    }
    if decision.recall_months is None:
        return DecidedReview(decision, None, table)
    recall_on = policy.add_months(photographed_days([exam])[exam.pk], decision.recall_months)
    return DecidedReview(decision, recall_on, table)


def is_weaker(decided: DecidedReview, signed: Review) -> bool:
    """Whether a decision is weaker, less urgent or later than that of a signed review.

    A stronger outcome without a recall date, such as a referral, is not later.
    """
    outcomes, urgencies = list(policy.Outcome), list(policy.Urgency)
    n_stronger = outcomes.index(decided.decision.outcome) - outcomes.index(policy.Outcome(signed.outcome))
    n_sooner = urgencies.index(decided.decision.urgency) - urgencies.index(policy.Urgency(signed.urgency))
    if decided.recall_on is None or signed.recall_on is None:
        is_later = signed.recall_on is not None and n_stronger <= 0
    else:
        is_later = decided.recall_on > signed.recall_on
    return n_stronger < 0 or n_sooner < 0 or is_later


def _decide(exam: Exam, eyes: Mapping[Laterality, policy.EyeResult], table: policy.OutcomeTable) -> policy.Decision:
    patient = patient_facts(exam, visit_facts_of(exam))
    try:
        return policy.decide_outcome(eyes[Laterality.RIGHT], eyes[Laterality.LEFT], table=table, patient=patient)
    except policy.NoRuleApplies as error:
        message = _("The outcome table of this site has no rule for: %(finding)s. Ask the site's manager to add one.")
        finding = combination_text(table.scale, error.combination)
        raise ReviewError(message % {"finding": finding}) from error


def _has_same_rules(exam: Exam, eyes: Mapping[Laterality, policy.EyeResult], amends: Review) -> bool:
    """Whether the rules of the amended review still set its outcome: a visual acuity could have been entered since.

    True for a review whose rules were not recorded.
    """
    if not amends.outcome_rules:
        return True
    scale = policy.GradingScale(amends.scale)
    stored, version = amends.outcome_table, amends.built_in_version
    table = stored.table if stored is not None else policy.default_table(scale, version or FIRST_VERSION)
    try:
        return bool(list(_decide(exam, eyes, table).rules) == amends.outcome_rules)
    except ReviewError:  # the site grades in another scale now
        return False
