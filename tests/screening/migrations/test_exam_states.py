"""The migration gives each exam its state, and back."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

BEFORE, AFTER = "0040_recall_runs", "0041_exam_states"


def test_each_exam_gets_its_state_in_both_directions(migrate: Callable[[str], Any]) -> None:
    old, now = migrate(BEFORE), timezone.now()
    site = old.get_model("screening", "Site").objects.create(name="Harbour", code="harbour")
    user = old.get_model("screening", "User").objects.create(username="reader")
    patient = old.get_model("screening", "Patient").objects.create(site=site, mrn="1", family_name="Byron")
    exams = old.get_model("screening", "Exam").objects
    rows: dict[str, tuple[str, dict[str, Any]]] = {
        "open": ("open", {}),
        "returned": ("open", {"returned_at": now}),
        "submitted": ("submitted", {"reading_round": 2}),
        "first_reading": ("submitted", {"reading_round": 1}),
        "entered_in_error": ("submitted", {"reading_round": 1}),
        "signed": ("reviewed", {}),
        "cancelled": ("cancelled", {}),
    }
    made = {}
    for after, (before, values) in rows.items():
        times: dict[str, Any] = {} if before == "open" else {"submitted_at": now, "due_at": now}
        made[after] = exams.create(site=site, patient=patient, opened_by=user, status=before, **times, **values)
    reading = {"reviewer": user, "laterality": "OD", "is_gradable": False}
    readings = old.get_model("screening", "FirstReading").objects
    readings.create(exam=made["first_reading"], reading_round=1, **reading)
    readings.create(exam=made["submitted"], reading_round=1, **reading)  # of an earlier round
    for name in ("submitted", "entered_in_error"):
        review = old.get_model("screening", "Review").objects.create(
            exam=made[name], reviewer=user, signed_at=now, outcome="refer", urgency="soon", built_in_version=1
        )
        old.get_model("screening", "Correction").objects.create(
            site=site, kind="review_in_error", exam=made[name], review=review, reason="Wrong exam", made_by=user
        )
    for _ in range(2):
        new = migrate(AFTER).get_model("screening", "Exam").objects
        assert {name: new.get(pk=exam.pk).status for name, exam in made.items()} == {name: name for name in made}
        back = migrate(BEFORE).get_model("screening", "Exam").objects
        assert {name: back.get(pk=exam.pk).status for name, exam in made.items()} == {
            name: before for name, (before, _values) in rows.items()
        }
