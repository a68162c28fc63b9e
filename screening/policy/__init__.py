"""Clinical rules as pure functions: outcomes, lesions and the grades that follow, grading scales, visual acuity."""

from screening.policy.outcomes import (
    MAX_ATTEMPTS,
    MAX_CAPTURE_AGE,
    MAX_VISITS,
    Decision,
    EyeResult,
    MacularOedema,
    Outcome,
    Urgency,
    WorklistRank,
    add_months,
    decide_outcome,
    next_due_on,
    worklist_rank,
)
from screening.policy.scales import GradingScale, Maculopathy, Retinopathy

__all__ = (
    "MAX_ATTEMPTS",
    "MAX_CAPTURE_AGE",
    "MAX_VISITS",
    "Decision",
    "EyeResult",
    "GradingScale",
    "MacularOedema",
    "Maculopathy",
    "Outcome",
    "Retinopathy",
    "Urgency",
    "WorklistRank",
    "add_months",
    "decide_outcome",
    "next_due_on",
    "worklist_rank",
)
