"""axe-core finds no serious violation on the pages of the application, the panel and the API documentation.

The pages are collected from the routes, so that a new page is among them; they are tested in light and dark colours.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client, RequestFactory
from django.urls import URLPattern, reverse
from playwright.sync_api import Page

from screening import urls
from screening.models import Exam, Programme, Site, StagedPerson, User
from tests.browser.conftest import Visit
from tests.screening.admin.records import create_records
from tests.screening.factories import (
    EyeFindingFactory,
    ReferralFactory,
    ReviewFactory,
    UserFactory,
    VisualAcuityFactory,
)
from tests.screening.test_access_audit import records_of_routes

pytestmark = pytest.mark.browser

NO_PAGES = {"logout", "exam-status", "import-status", "regrading-status"}
"""Routes that answer a GET without a whole page."""
ALL = {"resultTypes": ["violations"], "preload": False}
CONTRAST = ALL | {"runOnly": ["color-contrast"]}
"""In dark colours only the contrast can differ. Preloaded style sheets would violate the content security policy."""
TABLET = (1024, 768)
IS_WIDER = "(node) => node.scrollWidth > node.clientWidth + 1"


def violations(page: Page, path: str, *, wait_for: str = "main") -> list[str]:
    """Serious and critical violations of a page, with the first element of each."""
    page.goto(path)
    page.locator(wait_for).first.wait_for()
    page.evaluate(AXE_SCRIPT)
    found = []
    for scheme, options in (("light", ALL), ("dark", CONTRAST)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # light or dark
        result = page.evaluate("async (options) => (await axe.run(options)).violations", options)
        found += [
            f"{scheme} {path}: {one['id']} {one['nodes'][0]['html'][:200]}"
            for one in result
            if one["impact"] in {"serious", "critical"}
        ]
    return found


def application_pages(user: User, records: dict[str, Any]) -> Iterator[str]:
    """Addresses of the application that this user can open as a page."""
    client = Client()
    client.force_login(user)
    for pattern in urls.urlpatterns:
        if not isinstance(pattern, URLPattern) or pattern.name in NO_PAGES:
            continue
        path = reverse(f"screening:{pattern.name}", kwargs={name: records[name] for name in pattern.pattern.converters})
        response = client.get(path)
        if response.status_code == 200 and not response.streaming and b"<html" in response.content:
            yield path


def panel_pages(user: User) -> Iterator[str]:
    """Addresses of the panel: of each model the list, and one form to add, to change and to delete a row."""
    request = RequestFactory().get("/")
    request.user = user
    yield from ("/admin/", "/admin/screening/", "/admin/axes/")
    for model, options in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        if options.has_add_permission(request):
            yield reverse(f"{name}_add")
        row = model._default_manager.first()
        assert row is not None, name
        yield reverse(f"{name}_change", args=[row.pk])
        if options.has_delete_permission(request, row):
            yield reverse(f"{name}_delete", args=[row.pk])
    yield reverse("admin:screening_user_history", args=[user.pk])
    yield reverse("admin:auth_user_password_change", args=[user.pk])


def test_no_page_of_the_application_has_a_serious_violation(
    visit: Visit, graded_exam: Exam, site: Site, reviewer: User, problems: list[str]
) -> None:
    for role in ("photographer", "manager"):
        site.memberships.create(user=reviewer, role=role)
    review = ReviewFactory(exam__patient=graded_exam.patient)
    EyeFindingFactory(review=review)
    VisualAcuityFactory(exam=review.exam)
    image = graded_exam.images.all()[0]
    programme = Programme.objects.create(name="North")
    programme.memberships.create(user=reviewer)
    Site.objects.filter(pk=site.pk).update(programme=programme)
    records = records_of_routes(site) | {
        "patient_id": graded_exam.patient_id,
        "exam_id": graded_exam.pk,
        "image_id": image.pk,
        "grading_id": image.gradings.get().pk,
        "referral_id": ReferralFactory(exam__patient=graded_exam.patient, state="booked", due_on="2026-01-02").pk,
        "user_id": reviewer.pk,
        "programme_id": programme.pk,
    }
    StagedPerson.objects.create(
        data_import_id=records["import_id"], line=3, state="question", problems=[["mrn", "Wrong.", "Check it."]]
    )
    found = violations(visit("/login/"), "/login/")
    page = visit("/", reviewer)
    paths = [*application_pages(reviewer, records), f"/exams/{review.exam_id}/review/", "/no-such-page/"]
    assert len(paths) >= 12, paths
    for path in paths:
        found += violations(page, path)
    Site.objects.update(scale="england")
    found += violations(page, f"/exams/{graded_exam.pk}/review/")
    problems.clear()  # the page that does not exist
    assert found == []


def test_no_page_of_the_panel_has_a_serious_violation_or_is_cut_on_a_tablet(visit: Visit, shared_database: str) -> None:
    user = UserFactory(username="chief", is_staff=True, is_superuser=True)
    create_records(3)
    LogEntry.objects.create(user=user, object_id=str(user.pk), object_repr="User", action_flag=CHANGE)
    attempt = {"username": "ada", "ip_address": "127.0.0.1", "user_agent": "Mozilla/5.0 (X11)", "path_info": "/login/"}
    AccessAttempt.objects.create(**attempt, get_data="", post_data="", failures_since_start=3)
    AccessFailureLog.objects.create(**attempt)
    AccessLog.objects.create(**attempt)
    found = violations(visit("/admin/login/", size=TABLET), "/admin/login/")
    page = visit("/admin/", user, size=TABLET)
    for path in panel_pages(user):
        found += violations(page, path)
        cut = page.locator(".results, html").evaluate_all(f"(nodes) => nodes.some({IS_WIDER})")
        found += [f"{path}: wider than a tablet"] if cut else []
    assert found == []


def test_the_api_documentation_has_no_serious_violation(visit: Visit, photographer: User) -> None:
    page = visit("/", photographer)
    assert violations(page, "/api/docs/", wait_for=".opblock-patch") == []
