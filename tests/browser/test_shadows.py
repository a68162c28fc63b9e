"""A registered bundle in shadow mode: its manager compares it, and no page of a reader receives anything of it."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from screening.models import Exam, FundusImage, ShadowGrading, Site, SiteShadow, User
from tests.browser.conftest import Visit
from tests.browser.test_second_readings import grade
from tests.screening.factories import UserFactory
from tests.screening.registered_bundles import bundle_folder, registered

pytestmark = pytest.mark.browser


def test_a_reader_receives_nothing_of_a_bundle_in_shadow_mode(
    visit: Visit, site: Site, graded_exam: Exam, reviewer: User, manager: User, settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_DIR = str(tmp_path)
    chief = UserFactory(is_superuser=True)
    bundle = registered(bundle_folder(tmp_path), chief)
    SiteShadow.objects.create(site=site, bundle=bundle, since=timezone.localdate(), reason="trial", created_by=chief)
    for image in FundusImage.objects.filter(exam=graded_exam):
        ShadowGrading.objects.create(
            image=image, bundle=bundle, status="done", started_at=timezone.now(), finished_at=timezone.now(),
            is_gradable=True, grade=4, p_referable=0.9876, is_referable=True,
        )  # fmt: skip

    page = visit("/", reviewer)
    texts = [page.content()]
    page.goto(f"/exams/{graded_exam.pk}/review/")
    texts.append(page.content())
    grade(page, "3", "2")
    texts.append(page.content())
    page.get_by_role("button", name="Sign", exact=False).first.click()
    expect(page.get_by_text("Signed").first).to_be_visible()
    texts.append(page.content())
    for address in (f"/exams/{graded_exam.pk}/", f"/patients/{graded_exam.patient_id}/", "/results/"):
        page.goto(address)
        texts.append(page.content())
    texts.append(page.request.get(f"/api/v1/gradings?exam={graded_exam.pk}").text())
    secrets = (bundle.model_version, bundle.folder_name, "0.9876", "98.76", "99 %")
    assert not [secret for text in texts for secret in secrets if secret in text]

    desk = visit(f"/sites/{site.pk}/shadow/", manager)
    expect(desk.get_by_text(bundle.model_version).first).to_be_visible()
