"""Clinical rules as pure functions: outcomes, lesions and the grades that follow, grading scales, visual acuity."""

from screening.policy.default_outcomes import default_table, nhs_table
from screening.policy.outcome_tables import MacularOedema, Outcome, OutcomeRule, OutcomeTable, Urgency
from screening.policy.outcomes import (
    MAX_ATTEMPTS,
    MAX_CAPTURE_AGE,
    MAX_VISITS,
    Decision,
    EyeResult,
    NoRuleApplies,
    PatientFacts,
    WorklistRank,
    add_months,
    decide_outcome,
    next_due_on,
    worklist_rank,
)
from screening.policy.scales import GradingScale, Maculopathy, Photocoagulation, Retinopathy
from screening.policy.worklist import (
    ExamQuality,
    WorklistBand,
    exam_quality,
    priority_exams,
    sample_order,
    worklist_band,
)

__all__ = (
    "MAX_ATTEMPTS",
    "MAX_CAPTURE_AGE",
    "MAX_VISITS",
    "Decision",
    "ExamQuality",
    "EyeResult",
    "GradingScale",
    "MacularOedema",
    "Maculopathy",
    "NoRuleApplies",
    "Outcome",
    "OutcomeRule",
    "OutcomeTable",
    "PatientFacts",
    "Photocoagulation",
    "Retinopathy",
    "Urgency",
    "WorklistBand",
    "WorklistRank",
    "add_months",
    "decide_outcome",
    "default_table",
    "exam_quality",
    "next_due_on",
    "nhs_table",
    "priority_exams",
    "sample_order",
    "worklist_band",
    "worklist_rank",
)
