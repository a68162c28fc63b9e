"""Heatmaps move to a separate table, and back."""

from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils import timezone

from screening.models.heatmaps import decode_heatmap

GRADED = {
    "status": "done", "is_gradable": True, "quality_level": "good", "p_gradable": 0.9, "grade": 2,
    "probabilities": [0.2] * 5, "p_referable": 0.6, "is_referable": True, "operating_point": 0.5,
    "heatmap_box": [0.1, 0.0, 0.9, 1.0],
}  # fmt: skip
OEDEMA = {"p_macular_oedema": 0.9, "suspects_oedema": True, "oedema_operating_point": 0.4}


def rows_of_model(seed: int) -> Any:
    """A heatmap as it was stored: float32 numbers, rounded."""
    return np.random.default_rng(seed).random((3, 4), np.float32).round(4).tolist()


CASES: list[dict[str, Any]] = [
    {"status": "running"},
    {**GRADED, "heatmap": rows_of_model(1)},
    {**GRADED, **OEDEMA, "heatmap": rows_of_model(2), "oedema_heatmap": rows_of_model(3)},
    {**GRADED, "heatmap_box": None},
]
COLUMNS = ("heatmap", "oedema_heatmap", "heatmap_box")


def make_gradings(apps: Any) -> None:
    """A grading of each case, with a number for its version of the model."""
    site = apps.get_model("screening", "Site").objects.create(name="Clinic", code="clinic")
    user = apps.get_model("screening", "User").objects.create(username="user")
    patient = apps.get_model("screening", "Patient").objects.create(site=site, mrn="1", family_name="A")
    exam = apps.get_model("screening", "Exam").objects.create(site=site, patient=patient, opened_by=user)
    image = apps.get_model("screening", "FundusImage").objects.create(
        exam=exam, laterality="OD", sha256="0" * 64, file="a.jpg", format="JPEG", width_px=9, height_px=9, n_bytes=9,
        uploaded_by=user,
    )  # fmt: skip
    for number, case in enumerate(CASES):
        apps.get_model("screening", "Grading").objects.create(
            id=UUID(int=number), image=image, model="fast", model_version=str(number), queued_at=timezone.now(), **case
        )


def test_they_move_and_return_unchanged(migrate: Callable[[str | None], Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(import_module("screening.migrations.0079_heatmaps"), "BATCH", 1)
    old = migrate("0078_indexes_of_counts")
    make_gradings(old)
    before = list(old.get_model("screening", "Grading").objects.order_by("pk").values_list(*COLUMNS))
    new = migrate("0079_heatmaps")
    moved = new.get_model("screening", "Heatmap").objects.order_by("pk")
    assert [row.pk for row in moved] == [UUID(int=1), UUID(int=2)]
    for row, case in zip(moved, CASES[1:3], strict=True):
        assert decode_heatmap(row.of_grade) == case["heatmap"]
        assert (row.of_oedema and decode_heatmap(row.of_oedema)) == case.get("oedema_heatmap")
        assert row.box == case["heatmap_box"]
    old = migrate("0078_indexes_of_counts")
    assert list(old.get_model("screening", "Grading").objects.order_by("pk").values_list(*COLUMNS)) == before
    assert "screening_heatmap" not in connection.introspection.table_names()
