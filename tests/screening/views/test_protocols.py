"""The page of the reading protocol of a site."""

from typing import Any

from django.test import Client
from django.urls import reverse

from screening.models import Site, SiteProtocol, User
from tests.screening.factories import MembershipFactory

FORM: dict[str, Any] = {
    "kind": "double_positives",
    "negative_percent": 10,
    "repeat_percent": 3,
    "repeat_weeks": 8,
    "reason": "Programme rules",
    "base": 0,
}


def test_a_manager_changes_the_protocol_and_sees_what_is_missing(
    as_manager: Client, site: Site, manager: User, django_assert_max_num_queries: Any
) -> None:
    page = reverse("screening:site-protocol", args=[site.pk])
    text = as_manager.get(page).content.decode()
    assert "This site has no senior reviewer" in text
    assert "No referable eye of this site has a result of the model yet." in text
    refused = as_manager.post(page, FORM)
    assert (refused.status_code, SiteProtocol.objects.count()) == (422, 0)
    assert "give a person that role first" in refused.content.decode()
    assert "Programme rules" in refused.content.decode(), "entries are kept"
    for role in ("reviewer", "reviewer", "senior_reviewer"):
        MembershipFactory(site=site, role=role)
    assert as_manager.post(page, FORM | {"negative_percent": 101}).status_code == 422
    assert as_manager.post(page, FORM).status_code == 302
    stored = SiteProtocol.objects.get()
    assert (stored.kind, stored.number, stored.created_by) == ("double_positives", 1, manager)
    for number in range(2, 14):
        values = {name: value for name, value in FORM.items() if name != "base"}
        SiteProtocol.objects.create(site=site, number=number, created_by=manager, **values)
    with django_assert_max_num_queries(32):
        text = as_manager.get(page, {"page": 2}).content.decode()
    assert "Version 13, by" in text
    assert "Version 3: Two readers for every positive" in text
    assert "Version 4:" not in text
