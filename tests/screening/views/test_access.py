"""Access to the pages: one table of role x address -> status."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import Site, User
from screening.urls import urlpatterns
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.views.pages import HTMX, JSON, text_of, url

CAST = ("anonymous", "outsider", "photographer", "reviewer", "manager")
# Address, method, and the status for: not logged in, member of another site, photographer, reviewer, manager.
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
    ("exam-not-photographed", "post", (302, 404, 302, 403, 302)),
    ("exam-unobtainable", "post", (302, 404, 302, 403, 302)),
    ("exam-facts", "post", (302, 404, 302, 403, 302)),
    ("exam-take-back", "post", (302, 404, 302, 403, 302)),
    ("exam-return", "post", (302, 404, 403, 302, 403)),
    ("exam-submit", "post", (302, 404, 302, 403, 302)),
    ("exam-move", "get", (302, 404, 403, 200, 200)),
    ("exam-move", "post", (302, 404, 403, 422, 422)),
    ("exam-in-error", "get", (302, 404, 403, 302, 302)),
    ("exam-in-error", "post", (302, 404, 403, 302, 302)),
    ("image-move", "get", (302, 404, 403, 200, 200)),
    ("image-move", "post", (302, 404, 403, 422, 422)),
    ("patient-merge", "get", (302, 404, 403, 200, 200)),
    ("patient-merge", "post", (302, 404, 403, 422, 422)),
    ("patient-unmerge", "get", (302, 404, 403, 200, 200)),
    ("patient-unmerge", "post", (302, 404, 403, 422, 422)),
    ("exam-cancel", "post", (302, 404, 302, 403, 302)),
    ("exam-review", "get", (302, 404, 403, 302, 403)),
    ("exam-first-reading", "post", (302, 404, 403, 422, 403)),
    ("exam-preview", "post", (302, 404, 403, 200, 403)),
    ("exam-sign", "post", (302, 404, 403, 422, 403)),
    ("exam-draft", "post", (302, 404, 403, 200, 403)),
    ("exam-draft-discard", "post", (302, 404, 403, 302, 403)),
    ("exam-review-status", "get", (302, 404, 403, 200, 403)),
    ("image-photo", "get", (302, 404, 200, 200, 200)),
    ("image-thumbnail", "get", (302, 404, 200, 200, 200)),
    ("image-screen", "get", (302, 404, 200, 200, 200)),
    ("image-withdraw", "post", (302, 404, 302, 403, 302)),
    ("image-laterality", "post", (302, 404, 302, 403, 302)),
    ("grading-retry", "post", (302, 404, 302, 302, 302)),
    ("password", "get", (302, 200, 200, 200, 200)),
    ("reading-layout", "post", (302, 400, 400, 400, 400)),
    ("session-status", "get", (302, 200, 200, 200, 200)),
    ("session-extend", "post", (302, 200, 200, 200, 200)),
    ("intended-use", "post", (302, 302, 302, 302, 302)),
    ("page-printed", "post", (302, 404, 404, 404, 404)),  # the path of no page
    ("upload-preview", "get", (302, 404, 404, 404, 404)),  # only its sender has it
    ("site-first", "get", (302, 403, 403, 403, 403)),
    ("predict", "get", (302, 200, 200, 200, 200)),
]


@pytest.fixture
def ids(site: Site) -> dict[str, Any]:
    exam = ExamFactory(patient=PatientFactory(site=site))
    image = FundusImageFactory(exam=exam)
    with image.file.open("wb") as file:
        file.write(photo_bytes())
    grading = GradingFactory(image=image, is_failed=True)
    return {
        "patient": exam.patient_id,
        "exam": exam.pk,
        "image": image.pk,
        "grading": grading.pk,
        "upload": uuid.uuid4(),
    }


def address_of(name: str, ids: dict[str, Any]) -> str:
    noun = name.split("-", maxsplit=1)[0]
    values = {f"{noun}_id": ids[noun]} if noun in ids and name not in {"patient-list", "patient-new"} else {}
    if name in {"exam-absent", "exam-not-photographed", "exam-unobtainable"}:
        values["laterality"] = "OS"
    return reverse(f"screening:{name}", kwargs=values)


@pytest.mark.parametrize("row", TABLE, ids=[f"{row[1]} {row[0]}" for row in TABLE])
@pytest.mark.parametrize("who", CAST)
def test_each_role_gets_the_status_of_the_table(
    who: str, row: tuple[str, str, tuple[int, ...]], ids: dict[str, Any], request: pytest.FixtureRequest, client: Client
) -> None:
    name, method, statuses = row
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))
    data = {"laterality": "OS", "reason": "because"} if method == "post" else {}
    response = getattr(client, method)(address_of(name, ids), data)
    assert response.status_code == statuses[CAST.index(who)]
    if who == "anonymous":
        assert response["Location"].startswith("/login/?next=")


def test_the_table_has_every_page() -> None:
    assert {row[0] for row in TABLE} | {"login", "logout"} == {pattern.name for pattern in urlpatterns}


def test_a_superuser_without_a_membership_sees_no_patient(ids: dict[str, Any], client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(address_of("patient-detail", ids)).status_code == 404


@pytest.mark.parametrize(
    ("method", "name", "data"),
    [("get", "worklist", {}), ("get", "patient-list", {}), ("post", "patient-list", {"text": "HID"})],
)
def test_lists_and_searches_exclude_other_sites(
    method: str, name: str, data: dict[str, str], site: Site, outsider: User, client: Client
) -> None:
    ExamFactory(patient=PatientFactory(site=site, family_name="Hidden", mrn="HID-1"), is_submitted=True)
    client.force_login(outsider)
    text = text_of(getattr(client, method)(url(name), data))
    assert "Hidden" not in text
    assert "HID-1" not in text


def test_the_browser_does_not_store_a_page_with_a_patient(ids: dict[str, Any], as_reviewer: Client) -> None:
    assert "no-store" in as_reviewer.get(address_of("patient-detail", ids))["Cache-Control"]


def test_without_a_login_htmx_is_redirected_and_a_script_gets_401(ids: dict[str, Any], client: Client) -> None:
    page = f"http://testserver{address_of('exam-detail', ids)}"
    response = client.get(address_of("exam-status", ids), headers=HTMX | {"HX-Current-URL": page})
    assert response["HX-Redirect"].startswith("/login/?next=%2Fexams%2F")
    response = client.post(address_of("exam-images", ids), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (401, "logged_out")


def test_a_refusal_has_a_reason(ids: dict[str, Any], as_reviewer: Client) -> None:
    assert as_reviewer.get(url("exam-detail", uuid.uuid4())).status_code == 404
    for name in ("exam-submit", "image-withdraw"):
        response = as_reviewer.post(address_of(name, ids), {"reason": ""})
        assert response.status_code == 403
        assert "Your role at this site does not allow this" in text_of(response)


def test_five_wrong_passwords_lock_the_account(photographer: User, client: Client) -> None:
    responses = [client.post("/login/", {"username": "photographer", "password": "wrong"}) for _ in range(5)]
    assert "The user name or the password is wrong" in text_of(responses[0])
    assert 'value="photographer"' in text_of(responses[0])
    assert responses[4].status_code == 429
    assert "Too many attempts" in text_of(responses[4])


def test_a_login_leads_to_the_worklist(photographer: User, client: Client) -> None:
    response = client.post("/login/", {"username": "photographer", "password": "correct horse battery"}, follow=True)
    assert "Log out" in text_of(response)
