"""The migration that adds outcome tables names the built-in rules in each signed review, in both directions."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

BEFORE, AFTER = "0030_lesion_marks", "0031_outcome_tables"
Migrate = Callable[[str], Any]


def test_signed_reviews_name_the_first_built_in_table_and_keep_their_outcome(migrate: Migrate) -> None:
    old = migrate(BEFORE)
    site = old.get_model("screening", "Site").objects.create(name="Harbour", code="harbour")
    user = old.get_model("screening", "User").objects.create(username="reader")
    patient = old.get_model("screening", "Patient").objects.create(site=site, mrn="1", family_name="Byron")
    exam = old.get_model("screening", "Exam").objects.create(site=site, patient=patient, opened_by=user)
    signed = {"exam": exam, "reviewer": user, "signed_at": timezone.now(), "outcome": "refer", "urgency": "soon"}
    pk = old.get_model("screening", "Review").objects.create(**signed, recall_on="2027-05-27").pk
    review = migrate(AFTER).get_model("screening", "Review").objects.get(pk=pk)
    assert (review.outcome, str(review.recall_on)) == ("refer", "2027-05-27")
    assert (review.built_in_version, review.outcome_table, review.outcome_rules) == (1, None, [])
    review = migrate(BEFORE).get_model("screening", "Review").objects.get(pk=pk)
    assert (review.outcome, review.urgency, str(review.recall_on)) == ("refer", "soon", "2027-05-27")
