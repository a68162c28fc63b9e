"""Outcome tables by the API."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from screening.models import AuditEvent, Site, User
from screening.policy import GradingScale, default_table, nhs_table
from screening.services.outcome_tables import save_table
from tests.screening.api.client import ApiClient
from tests.screening.factories import ReviewFactory

ICDR = GradingScale.ICDR


def save(site: Site, by: User, base_number: int = 0, **changes: Any) -> Any:
    values = {"table": nhs_table(ICDR), "valid_from": timezone.localdate(), "reason": "NHS"}
    return save_table(**{"site": site, "base_number": base_number, "by": by, **values, **changes})


def test_versions_are_listed_newest_first_with_rules_in_words(client: ApiClient, site: Site, manager: User) -> None:
    first = save(site, manager)
    second = save(site, manager, 1, table=default_table(ICDR))
    response = client.get(f"sites/{site.pk}/outcome-tables")
    assert [row["id"] for row in response.body["results"]] == [str(second.pk), str(first.pk)]
    row = response.body["results"][1]
    assert (row["number"], row["scale"], row["negative_months"], row["reason"]) == (1, "icdr", 24, "NHS")
    rule = next(rule for rule in row["rules"] if rule["code"] == "grade_2")
    assert (rule["outcome"], rule["urgency"], rule["months"], rule["macula"]) == ("refer", "soon", 6, "")
    assert rule["text"].startswith("Moderate non-proliferative: Refer to a specialist, within 3 to 6 months")
    assert rule["default_source"].startswith("ADA")


def test_the_table_in_force_is_the_built_in_one_or_that_of_the_site(
    client: ApiClient, site: Site, manager: User
) -> None:
    built_in = client.get(f"sites/{site.pk}/outcome-tables/in-force").body
    assert (built_in["outcome_table"], built_in["built_in_version"], built_in["negative_months"]) == (None, 2, None)
    assert len(built_in["rules"]) == len(default_table(ICDR).rules)
    row = save(site, manager)
    own = client.get(f"sites/{site.pk}/outcome-tables/in-force").body
    assert (own["outcome_table"], own["built_in_version"], own["negative_months"]) == (str(row.pk), None, 24)


def test_a_review_names_its_table(client: ApiClient, site: Site, manager: User) -> None:
    row = save(site, manager)
    review = ReviewFactory(
        exam__patient__site=site, outcome_table=row, built_in_version=None, outcome_rules=["left_grade_2"]
    )
    body = client.get(f"reviews/{review.pk}").body
    assert (body["outcome_table"], body["built_in_version"], body["outcome_rules"]) == (
        str(row.pk),
        None,
        ["left_grade_2"],
    )


def test_a_list_needs_a_constant_number_of_queries(
    client: ApiClient, site: Site, manager: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(4):
        save(site, manager, number, table=(nhs_table, default_table)[number % 2](ICDR))
    with django_assert_max_num_queries(8):
        assert len(client.get(f"sites/{site.pk}/outcome-tables").body["results"]) == 4
    assert not AuditEvent.objects.filter(verb="record.viewed").exists()  # no patient is in it
