"""The migration makes a referral of each signed review that counts and refers, and leaves reviews as they are."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils import timezone

BEFORE, AFTER = "0036_landmarks", "0038_referrals_of_signed_reviews"
Migrate = Callable[[str], Any]
SIGNED_AT = datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.UTC)


def signed_review(models: Any, outcome: str, urgency: str, *, number: int, **changes: Any) -> Any:
    """A review of an exam of 20 February, signed on 2 March by the clock of its site."""
    site, _is_new = models.get_model("screening", "Site").objects.get_or_create(
        name="Harbour", code="harbour", timezone="Europe/Paris"
    )
    user, _is_new = models.get_model("screening", "User").objects.get_or_create(username="reader")
    patient = models.get_model("screening", "Patient").objects.create(site=site, mrn=str(number), family_name="Byron")
    now = timezone.now()
    exam = models.get_model("screening", "Exam").objects.create(
        site=site, patient=patient, opened_by=user, status="reviewed", submitted_at=now, due_at=now,
        reading_round=changes.pop("exam_round", 0),
    )  # fmt: skip
    models.get_model("screening", "FundusImage").objects.create(
        exam=exam, laterality="OD", file="a.jpg", format="JPEG", sha256="0" * 64, width_px=9, height_px=9, n_bytes=9,
        uploaded_by=user, captured_on=datetime.date(2026, 2, 20), captured_on_source="client",
    )  # fmt: skip
    return models.get_model("screening", "Review").objects.create(
        exam=exam, reviewer=user, signed_at=SIGNED_AT, outcome=outcome, urgency=urgency, built_in_version=1, **changes
    )


def test_signed_reviews_that_refer_get_a_referral_in_both_directions(migrate: Migrate) -> None:
    old = migrate(BEFORE)
    urgent = signed_review(old, "refer_urgent", "immediate", number=1)
    amended = signed_review(old, "refer", "soon", number=2)
    old.get_model("screening", "Review").objects.create(
        exam=amended.exam, reviewer=amended.reviewer, signed_at=SIGNED_AT, outcome="rescreen", urgency="routine",
        built_in_version=1, amends=amended, amend_reason="Looked again",
    )  # fmt: skip
    signed_review(old, "refer", "soon", number=3, exam_round=1)  # entered in error
    slit_lamp = signed_review(old, "refer_slit_lamp", "soon", number=4)
    signed_review(old, "rescreen", "routine", number=5)
    for _ in range(2):
        referrals = migrate(AFTER).get_model("screening", "Referral").objects
        assert set(referrals.values_list("review", flat=True)) == {urgent.pk, slit_lamp.pk}
        one = referrals.get(review=urgent.pk)
        assert (one.state, one.outcome, one.urgency) == ("made", "refer_urgent", "immediate")
        assert [str(day) for day in (one.made_on, one.send_by, one.see_by)] == [
            "2026-03-02",
            "2026-03-06",
            "2026-04-03",
        ]
        assert one.due_on == one.send_by
        event = one.events.get()
        assert (event.state, event.happened_on, event.recorded_by.username) == ("made", one.made_on, "reader")
        assert migrate(BEFORE).get_model("screening", "Review").objects.count() == 6
