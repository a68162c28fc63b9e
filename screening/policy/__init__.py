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
    "Outcome",
    "Retinopathy",
    "Urgency",
    "WorklistBand",
    "WorklistRank",
    "add_months",
    "decide_outcome",
    "exam_quality",
    "next_due_on",
    "priority_exams",
    "sample_order",
    "worklist_band",
    "worklist_rank",
)
