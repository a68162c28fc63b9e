"""First steps of a new site: the list, the practice exam that never counts, and closing both."""

from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import Action, can, sites_for
from screening.models import AuditEvent, Exam, Referral, Site, User
from screening.policy import MacularOedema
from screening.selectors.first_run import FirstStep, find_first_run, get_first_run
from screening.selectors.results import ResultFilters, list_results
from screening.services.exams import submit_exam
from screening.services.practice import close_first_run
from screening.services.reviews import sign_review
from screening.services.structured_findings import Finding
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, PatientFactory, ReviewFactory

F = FirstStep


@pytest.fixture(autouse=True)
def _photographs_without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawing takes a second."""
    eyes = list(Laterality)
    monkeypatch.setattr(
        "screening.services.practice.synthetic_photograph",
        lambda _grade, eye, seed: BytesIO(photo_bytes(seed=2 * (seed % 1000) + eyes.index(eye))),
    )


def test_the_list_follows_from_facts_and_ends_with_a_signed_exam(
    as_manager: Client, site: Site, manager: User, reviewer: User
) -> None:
    shown = as_manager.get("/").text
    assert "First steps of Harbour Clinic" in shown
    assert "Begin a practice exam" in shown
    run = get_first_run(site)
    assert run.done == {F.SITE, F.PEOPLE}
    assert run.next_step is F.PROTOCOL
    protocol = {"kind": "single", "negative_percent": 10, "repeat_percent": 3, "repeat_weeks": 12, "base": 0}
    stored = as_manager.post(reverse("screening:site-protocol", args=[site.pk]), protocol | {"reason": "The usual one"})
    assert stored.status_code == 302, "the built-in protocol can be stored as the first version"
    assert get_first_run(site).next_step is F.PHOTOGRAPH
    assert "Begin a practice exam" in as_manager.get(reverse("screening:site", args=[site.pk])).text
    assert find_first_run(reviewer) is None
    ReviewFactory(exam=ExamFactory(patient=PatientFactory(site=site), is_submitted=True))
    assert find_first_run(manager) is None
    assert "First steps" not in as_manager.get("/").text


def test_a_practice_exam_is_read_by_its_manager_and_never_counts(as_manager: Client, site: Site, manager: User) -> None:
    begin = reverse("screening:site-practice", args=[site.pk])
    page = as_manager.post(begin)["Location"]
    assert as_manager.post(begin)["Location"] == page, "one exam"
    exam = Exam.objects.get()
    assert list(exam.images.values_list("is_synthetic", flat=True)) == [True, True]
    shown = as_manager.get(page).text
    assert "Practice: drawn photographs, not a patient" in shown
    assert reverse("screening:patient-edit", args=[exam.patient_id]) not in shown
    submit_exam(exam=exam, by=manager)
    findings = {
        eye: Finding(laterality=eye, grade=ICDRGrade.PROLIFERATIVE, macular_oedema=MacularOedema.NONE)
        for eye in Laterality
    }
    assert sign_review(exam=exam, findings=findings, by=manager).outcome != "rescreen"
    assert get_first_run(site).done == {F.SITE, F.PHOTOGRAPH, F.READ}
    practice = exam.site
    assert (practice.practice_of, practice.name) == (site, "Practice: Harbour Clinic")
    for action in (Action.MANAGE_SITE, Action.REGISTER_PATIENT, Action.MANAGE_REGISTER, Action.UPDATE_REFERRAL):
        assert not can(manager, action, practice), action
    assert set(sites_for(manager, Action.MANAGE_SITE)) == {site}
    assert not Referral.objects.exists()
    assert not list_results(user=manager, filters=ResultFilters()).exists()
    close_first_run(site=site, by=manager)
    assert as_manager.get(page).status_code == 404
    assert not sites_for(manager).filter(pk=practice.pk).exists()
    assert AuditEvent.objects.filter(verb="site.first_run_closed", site=site).count() == 1
