"""Exams whose eyes are in given states: absent, waiting, graded."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ml.vocabulary import Laterality, QualityLevel
from screening.models import Exam, Grading, Heatmap, Site
from screening.models.heatmaps import encode_heatmap
from screening.services.worklist import update_worklist_order
from tests.builders import OEDEMA_HEATMAP, oedema_values
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory


def oedema_columns(p: float | None) -> dict[str, Any]:
    """The columns of a grading for ``oedema_values``."""
    values = oedema_values(p)
    if p is None:
        return values | {"quality_reasons": list(values["quality_reasons"])}
    return {name: value for name, value in values.items() if name != "oedema_heatmap"}


def replace_oedema(gradings: QuerySet[Grading], p: float | None) -> None:
    """Replace what gradable gradings have about macular oedema; None: the macula is not visible."""
    gradings.update(**oedema_columns(p))
    of_oedema = None if p is None else encode_heatmap(OEDEMA_HEATMAP)
    Heatmap.objects.filter(grading__in=gradings).update(of_oedema=of_oedema)


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
