"""The pages of settings of a site: history, conflicts, and what follows from a change."""

import json
import re
from typing import Any

from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Site, SiteSettingsVersion, User
from screening.policy.site_settings import SETTINGS, SettingsGroup
from screening.selectors.site_settings import setting_label, settings_of
from tests.screening.factories import ExamFactory, MembershipFactory, UserFactory

GENERAL, TIMES = SettingsGroup.GENERAL, SettingsGroup.READING_TIMES


def address(site: Site, group: SettingsGroup) -> str:
    return reverse("screening:site-settings", args=[site.pk, group.value])


def sent(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value is not False}


def shown_text(response: Any) -> str:
    """The page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.text))


def entries(site: Site, group: SettingsGroup, **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it: no box that is not ticked."""
    present = settings_of(site, group)
    return sent(present | changes) | {"base": json.dumps(present), "reason": "Asked by the board"}


def test_no_setting_is_in_two_groups_and_each_has_a_name() -> None:
    names = [name for group in SETTINGS.values() for name in group]
    assert len(names) == len(set(names))
    assert all(setting_label(name)[0].isupper() for name in names)


def test_a_page_without_a_change_stores_nothing(as_manager: Client, site: Site) -> None:
    for group in SettingsGroup:
        page = as_manager.get(address(site, group))
        assert "No change is stored yet." in shown_text(page), group
        refused = as_manager.post(address(site, group), sent(page.context["form"].initial) | {"reason": "None"})
        assert (refused.status_code, SiteSettingsVersion.objects.count()) == (422, 0)
        assert "Nothing differs from what is stored." in shown_text(refused)


def test_a_change_is_stored_with_who_when_and_why(
    as_manager: Client, site: Site, manager: User, django_assert_max_num_queries: Any
) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True, reading_urgency="soon")
    page, form = address(site, TIMES), entries(site, TIMES, reading_target_soon_h=9)
    assert as_manager.post(page, form | {"reason": " "}).status_code == 422
    bad = as_manager.post(page, form | {"reading_target_soon_h": 0, "base": "[]"})
    assert "Reload the page" in shown_text(bad)
    for _ in range(2):  # sent twice, stored once
        assert as_manager.post(page, form).status_code == 302
    row = SiteSettingsVersion.objects.get()
    assert (row.before, row.after) == ({"reading_target_soon_h": 72}, {"reading_target_soon_h": 9})
    exam.refresh_from_db()
    assert exam.due_at is not None
    assert exam.submitted_at is not None
    assert (exam.due_at - exam.submitted_at).total_seconds() == 9 * 3600
    assert AuditEvent.objects.get(verb="site.reading_targets_changed").data["reading_target_soon_h"] == 9
    with django_assert_max_num_queries(15):
        history = shown_text(as_manager.get(page))
    assert "Asked by the board" in history
    assert "72 → 9 manager," in history
    hub = shown_text(as_manager.get(reverse("screening:site", args=[site.pk])))
    assert "soon 9 h" in hub


def test_two_managers_who_change_one_setting_see_both_values(as_manager: Client, site: Site) -> None:
    colleague, other = MembershipFactory(site=site, role="manager", user=UserFactory(username="zoe")).user, Client()
    other.force_login(colleague)
    mine = entries(site, GENERAL, timezone="Europe/Paris", message_language="fr")
    theirs = entries(site, GENERAL, timezone="Asia/Tokyo", phone_region="JP")
    assert other.post(address(site, GENERAL), theirs).status_code == 302
    late = as_manager.post(address(site, GENERAL), mine)
    assert late.status_code == 409
    assert "Time zone Asia/Tokyo Europe/Paris" in shown_text(late)
    site.refresh_from_db()
    assert (site.timezone, site.message_language, site.phone_region) == ("Asia/Tokyo", "", "JP")
    form = sent(late.context["form"].initial)
    assert as_manager.post(address(site, GENERAL), form).status_code == 302
    site.refresh_from_db()
    assert (site.timezone, site.message_language, site.phone_region) == ("Europe/Paris", "fr", "JP")


def test_changes_of_different_settings_are_both_kept(as_manager: Client, site: Site) -> None:
    first, second = entries(site, TIMES, reading_target_soon_h=9), entries(site, TIMES, reading_target_routine_h=99)
    for form in (first, second):
        assert as_manager.post(address(site, TIMES), form).status_code == 302
    site.refresh_from_db()
    assert (site.reading_target_soon_h, site.reading_target_routine_h) == (9, 99)


def test_values_that_do_not_fit_together_are_refused(as_manager: Client, site: Site) -> None:
    page = address(site, SettingsGroup.MESSAGES)
    refused = as_manager.post(page, entries(site, SettingsGroup.MESSAGES, message_mode="automatic"))
    assert refused.status_code == 422
    assert "Enter the name of the sender before you switch messages on." in shown_text(refused)
    unknown = as_manager.post(address(site, GENERAL), entries(site, GENERAL, timezone="Europe/Atlantis"))
    assert "not a time zone" in shown_text(unknown)
