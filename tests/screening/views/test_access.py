"""Who gets which page: one table of role x address -> status."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import Site, User
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory

CAST = ("stranger", "outsider", "photographer", "reviewer", "manager")
# Address, method, and the status for: nobody, somebody of another site, photographer, reviewer, manager.
TABLE = [
    ("worklist", "get", (302, 200, 200, 200, 200)),
    ("patient-list", "get", (302, 200, 200, 200, 200)),
    ("patient-list", "post", (302, 200, 200, 200, 200)),
    ("patient-new", "get", (302, 200, 200, 403, 200)),
    ("patient-detail", "get", (302, 404, 200, 200, 200)),
    ("patient-edit", "get", (302, 404, 200, 403, 200)),
    ("patient-exams", "post", (302, 404, 302, 403, 302)),
    ("exam-detail", "get", (302, 404, 200, 200, 200)),
    ("exam-status", "get", (302, 404, 200, 200, 200)),
    ("exam-images", "post", (302, 404, 302, 302, 302)),
    ("exam-absent", "post", (302, 404, 302, 403, 302)),
    ("exam-submit", "post", (302, 404, 302, 403, 302)),
    ("exam-cancel", "post", (302, 404, 302, 403, 302)),
    ("exam-review", "get", (302, 404, 403, 302, 403)),
    ("exam-first-reading", "post", (302, 404, 403, 422, 403)),
    ("exam-preview", "post", (302, 404, 403, 200, 403)),
    ("exam-sign", "post", (302, 404, 403, 422, 403)),
    ("image-photo", "get", (302, 404, 200, 200, 200)),
    ("image-thumbnail", "get", (302, 404, 200, 200, 200)),
    ("image-withdraw", "post", (302, 404, 302, 403, 302)),
    ("image-laterality", "post", (302, 404, 302, 403, 302)),
    ("grading-retry", "post", (302, 404, 302, 302, 302)),
    ("password", "get", (302, 200, 200, 200, 200)),
    ("site-first", "get", (302, 403, 403, 403, 403)),
    ("predict", "get", (302, 200, 200, 200, 200)),
]


@pytest.fixture
def rows(site: Site) -> dict[str, Any]:
    exam = ExamFactory(patient=PatientFactory(site=site))
    image = FundusImageFactory(exam=exam)
    with image.file.open("wb") as file:
        file.write(photo_bytes())
    grading = GradingFactory(image=image, is_failed=True)
    return {"patient_id": exam.patient_id, "exam_id": exam.pk, "image_id": image.pk, "grading_id": grading.pk}


def address_of(name: str, rows: dict[str, Any]) -> str:
    needs = {"patient": "patient_id", "exam": "exam_id", "image": "image_id", "grading": "grading_id"}
    noun = name.split("-", maxsplit=1)[0]
    is_of_a_row = noun in needs and name not in {"patient-list", "patient-new"}
    values = {needs[noun]: rows[needs[noun]]} if is_of_a_row else {}
    if name == "exam-absent":
        values["laterality"] = "OS"
    return reverse(f"screening:{name}", kwargs=values)


@pytest.mark.parametrize(("name", "method", "statuses"), TABLE, ids=[f"{row[1]} {row[0]}" for row in TABLE])
@pytest.mark.parametrize("who", CAST)
def test_each_role_gets_what_the_table_says(
    who: str,
    name: str,
    method: str,
    statuses: tuple[int, ...],
    rows: dict[str, Any],
    request: pytest.FixtureRequest,
    client: Client,
) -> None:
    if who != "stranger":
        client.force_login(request.getfixturevalue(who))
    data = {"laterality": "OS", "reason": "because"} if method == "post" else {}
    response = getattr(client, method)(address_of(name, rows), data)
    assert response.status_code == statuses[CAST.index(who)]
    if who == "stranger":
        assert response["Location"].startswith("/login/?next=")


def test_the_table_names_every_page() -> None:
    from screening.urls import urlpatterns

    assert {row[0] for row in TABLE} | {"login", "logout"} == {pattern.name for pattern in urlpatterns}


def test_a_superuser_without_a_membership_sees_no_patient(rows: dict[str, Any], client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(address_of("patient-detail", rows)).status_code == 404


@pytest.mark.parametrize("name", ["worklist", "patient-list"])
def test_lists_show_nothing_of_another_site(name: str, site: Site, outsider: User, client: Client) -> None:
    ExamFactory(patient=PatientFactory(site=site, family_name="Hidden", mrn="HID-1"), is_submitted=True)
    client.force_login(outsider)
    text = client.get(reverse(f"screening:{name}")).content.decode()
    assert "Hidden" not in text
    assert "HID-1" not in text


def test_a_search_finds_nobody_of_another_site(site: Site, outsider: User, client: Client) -> None:
    PatientFactory(site=site, family_name="Hidden", mrn="HID-1")
    client.force_login(outsider)
    text = client.post(reverse("screening:patient-list"), {"text": "HID"}).content.decode()
    assert "Hidden" not in text


def test_a_page_with_a_patient_is_not_kept_by_the_browser(rows: dict[str, Any], reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    assert "no-store" in client.get(address_of("patient-detail", rows))["Cache-Control"]


def test_a_page_left_open_is_sent_to_the_login_as_a_whole(rows: dict[str, Any], client: Client) -> None:
    here = f"http://testserver{address_of('exam-detail', rows)}"
    response = client.get(address_of("exam-status", rows), headers={"HX-Request": "true", "HX-Current-URL": here})
    assert response["HX-Redirect"].startswith("/login/?next=%2Fexams%2F")


def test_a_script_is_told_in_json_that_it_was_logged_out(rows: dict[str, Any], client: Client) -> None:
    response = client.post(address_of("exam-images", rows), headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert response.json()["code"] == "logged_out"


def test_an_unknown_id_is_not_found(photographer: User, client: Client) -> None:
    client.force_login(photographer)
    assert client.get(reverse("screening:exam-detail", args=[uuid.uuid4()])).status_code == 404


def test_a_refusal_says_why(rows: dict[str, Any], reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    text = client.post(address_of("exam-submit", rows)).content.decode()
    assert "Your role at this site does not allow this" in text


def test_after_five_wrong_passwords_the_account_rests(photographer: User, client: Client) -> None:
    for _attempt in range(5):
        response = client.post("/login/", {"username": "photographer", "password": "wrong"})
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()


def test_a_wrong_password_is_told_and_the_name_is_kept(photographer: User, client: Client) -> None:
    text = client.post("/login/", {"username": "photographer", "password": "wrong"}).content.decode()
    assert "Please enter a correct username and password" in text
    assert 'value="photographer"' in text


def test_logging_in_leads_to_the_worklist(photographer: User, client: Client) -> None:
    response = client.post("/login/", {"username": "photographer", "password": "correct horse battery"}, follow=True)
    assert "Log out" in response.content.decode()
