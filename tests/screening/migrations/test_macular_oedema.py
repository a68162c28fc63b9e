"""The migration that adds macular oedema keeps the gradings and the order of the worklist, in both directions."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

BEFORE, AFTER = "0013_writing", "0014_macular_oedema"
Migrate = Callable[[str], Any]


def graded_exam(models: Any, *, rank: int, **columns: Any) -> Any:
    """An exam with one graded photograph, in the state of a migration."""
    site = models.get_model("screening", "Site").objects.create(name="Harbour", code=f"harbour-{rank}")
    patient = models.get_model("screening", "Patient").objects.create(site=site, mrn="1", family_name="Byron")
    user = models.get_model("screening", "User").objects.create(username=f"nurse-{rank}")
    exam = models.get_model("screening", "Exam").objects.create(
        site=site, patient=patient, opened_by=user, worklist_rank=rank
    )
    image = models.get_model("screening", "FundusImage").objects.create(
        exam=exam, laterality="OD", file="a.jpg", format="JPEG", sha256="0" * 64, width_px=9, height_px=9, n_bytes=9,
        uploaded_by=user,
    )  # fmt: skip
    models.get_model("screening", "Grading").objects.create(
        image=image, model_version="fake", status="done", queued_at=timezone.now(), is_gradable=True,
        quality_level="good", p_gradable=0.9, grade=0, probabilities=[1, 0, 0, 0, 0], p_referable=0.1,
        is_referable=False, operating_point=0.5, heatmap=[[0.5]], heatmap_box=[0, 0, 1, 1], **columns,
    )  # fmt: skip
    return exam


def test_stored_gradings_have_no_oedema_and_exams_keep_their_rank(migrate: Migrate) -> None:
    exams = {rank: graded_exam(migrate(BEFORE), rank=rank).pk for rank in (1, 5)}
    new = migrate(AFTER)
    for rank, pk in exams.items():
        exam = new.get_model("screening", "Exam").objects.get(pk=pk)
        assert (exam.worklist_rank, exam.grade_rank, exam.is_oedema_suspected) == (rank, rank, False)
    for grading in new.get_model("screening", "Grading").objects.all():
        assert (grading.grade, grading.heatmap) == (0, [[0.5]])
        oedema = (grading.p_macular_oedema, grading.suspects_oedema, grading.oedema_operating_point)
        assert (*oedema, grading.oedema_heatmap) == (None, None, None, None)


def test_without_oedema_an_exam_has_the_rank_of_its_grades(migrate: Migrate) -> None:
    oedema = {"p_macular_oedema": 0.9, "suspects_oedema": True, "oedema_operating_point": 0.4}
    new = migrate(AFTER)
    exam = graded_exam(new, rank=1, **oedema)
    new.get_model("screening", "Exam").objects.update(grade_rank=5, is_oedema_suspected=True)
    old = migrate(BEFORE)
    assert old.get_model("screening", "Exam").objects.get(pk=exam.pk).worklist_rank == 5
    assert old.get_model("screening", "Grading").objects.get().grade == 0
