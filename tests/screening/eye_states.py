"""Exams whose eyes are in given states: absent, waiting, graded."""

from typing import Any

from django.db import transaction

from ml.vocabulary import Laterality, QualityLevel
from screening.models import Exam, Grading, Site
from screening.services.worklist import update_worklist_order
from tests.builders import oedema_values
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory


def oedema_columns(p: float | None) -> dict[str, Any]:
    """The columns of a grading for ``oedema_values``."""
    values = oedema_values(p)
    if p is None:
        return values | {"quality_reasons": list(values["quality_reasons"])}
    return values | {"oedema_heatmap": values["oedema_heatmap"].tolist()}


EYE_STATES: dict[str, dict[str, Any] | None] = {
    "absent": None,
    "unphotographed": {},
    "waiting": {"status": Grading.Status.QUEUED},
    "running": {"status": Grading.Status.RUNNING},
    "failed": {"is_failed": True},
    "ungradable": {"is_ungradable": True},
    "grade 0": {"is_done": True, "grade": 0},
    "grade 0, usable with limits": {"is_done": True, "grade": 0, "quality_level": QualityLevel.USABLE},
    "grade 1, referable by the operating point": {"is_done": True, "grade": 1, "is_referable": True},
    "grade 2": {"is_done": True, "grade": 2},
    "grade 0, suspicion of oedema": {"is_done": True, "grade": 0, **oedema_columns(0.9)},
    "grade 0, no suspicion of oedema": {"is_done": True, "grade": 0, **oedema_columns(0.1)},
    "grade 0, macula not visible": {"is_done": True, "grade": 0, **oedema_columns(None)},
    "grade 4": {"is_done": True, "grade": 4},
}


def make_exam(site: Site, right: str, left: str, **changes: Any) -> Exam:
    """A submitted exam whose eyes are in these states of ``EYE_STATES``."""
    exam = ExamFactory(patient__site=site, is_submitted=True, **changes)
    for state, laterality, side in ((right, Laterality.RIGHT, "right"), (left, Laterality.LEFT, "left")):
        values = EYE_STATES[state]
        if values is None:
            setattr(exam, f"{side}_eye_absent_reason", "Prosthesis")
            exam.save()
        elif values:
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=laterality), **values)
    with transaction.atomic():
        update_worklist_order(exam)
    return exam
