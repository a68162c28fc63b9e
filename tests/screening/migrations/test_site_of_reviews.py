"""Reviews get the site of their exam."""

from collections.abc import Callable
from typing import Any

from django.utils.timezone import now


def test_each_review_gets_the_site_of_its_exam(migrate: Callable[[str | None], Any]) -> None:
    old = migrate("0079_heatmaps")
    user = old.get_model("screening", "User").objects.create(username="user")
    expected = {}
    for code in ("north", "south"):
        site = old.get_model("screening", "Site").objects.create(name=code, code=code)
        patient = old.get_model("screening", "Patient").objects.create(site=site, mrn="1", family_name="A")
        exam = old.get_model("screening", "Exam").objects.create(site=site, patient=patient, opened_by=user)
        review = old.get_model("screening", "Review").objects.create(
            exam=exam, reviewer=user, signed_at=now(), outcome="rescreen", urgency="routine", built_in_version=1
        )
        expected[review.pk] = site.pk
    reviews = migrate("0080_site_of_reviews").get_model("screening", "Review").objects
    assert dict(reviews.values_list("pk", "site")) == expected
    assert migrate("0079_heatmaps").get_model("screening", "Review").objects.count() == len(expected)
