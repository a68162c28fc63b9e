"""The pages and the API show the second reader neither the first reading nor the model's result."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.forms.consensus import ConsensusForm, has_own_findings
from screening.models import ArbitrationDraft, AuditEvent, Exam, Reading, Review, Site, User
from screening.policy.lesions import Lesion
from screening.policy.marks import Mark, MarkShape
from screening.services.readings import sign_findings
from screening.services.structured_findings import StructuredFindings
from screening.tasks import delete_old_drafts
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory
from tests.screening.marks import mark_row, marks_text
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam
from tests.screening.views.pages import count_queries, loaded_files, page_text, text_of, url
from tests.screening.views.test_drafts import checked

RIGHT, LEFT = Laterality
SECRET, NOTE = "Naevus seen by the first", "Note of the first"
OWN = {f"{eye}-{name}": value for eye in Laterality for name, value in (("verdict", "0"), ("macular_oedema", "none"))}


@pytest.fixture
def exam(site: Site, reviewer: User) -> Exam:
    """Read by a first reader at a site that shows the model's result at once; the model found grade 4 and 2."""
    use_protocol(site)
    exam = waiting_exam(site, 4, 2)
    mark = Mark(exam.images.get(laterality=RIGHT).pk, Lesion.NEW_VESSELS_DISC, MarkShape.POINT, ((0.123, 0.456),), None)
    findings = found(3, 0)
    findings[RIGHT] = found(3, structured=StructuredFindings(other_disease=SECRET), marks=(mark,))[RIGHT]
    sign_findings(exam=exam, findings=findings, note=NOTE, by=reviewer)
    exam.refresh_from_db()
    return exam


@pytest.fixture
def second(site: Site) -> User:
    return reader_of(site, user__username="second.reader")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def reveals(text: str) -> list[str]:
    """What a page or answer contains of the first reading, or of the model's result."""
    signs = (SECRET, NOTE, "0.123", "Severe", "Proliferative", "heatmap-", "p-referable", "highest grade", "Highest")
    return [sign for sign in signs if sign in text]


def test_pages_hide_the_first_reading_and_the_model(exam: Exam, second: User, site: Site) -> None:
    client = client_of(second)
    pages: list[tuple[str, tuple[Any, ...], dict[str, str]]] = [
        ("worklist", (), {"state": "waiting"}),
        ("worklist", (), {"state": "waiting", "reading": "second", "sort": "due"}),
        ("exam-detail", (exam.pk,), {}),
        ("exam-status", (exam.pk,), {}),
        ("patient-detail", (exam.patient_id,), {}),
        ("exam-review", (exam.pk,), {}),
        ("exam-review-status", (exam.pk,), {}),
        ("referrals", (), {}),
    ]
    for name, args, query in pages:
        choices = {"Severe", "Proliferative"} if name == "exam-review" else set()  # of the form
        assert set(reveals(page_text(client, name, *args, **query))) <= choices, name
    assert "1 second reading" in page_text(client, "worklist")
    assert str(exam.pk) not in page_text(client, "worklist", state="waiting", model="sight")
    for event in AuditEvent.objects.filter(object_id=str(exam.pk)) | AuditEvent.objects.filter(object_type="reading"):
        assert not reveals(str(event.data)), "the audit trail has no finding"
    for name in ("exam-review", "exam-sign", "exam-first-reading"):
        method = client_of(Reading.objects.get().reader)
        response = method.get(url(name, exam.pk)) if name == "exam-review" else method.post(url(name, exam.pk), OWN)
        assert response.status_code in {302, 422}, f"the first reader does not read again: {name}"
    assert Reading.objects.count() == 1


def test_the_api_hides_the_first_reading_and_the_model(exam: Exam, second: User) -> None:
    api = ApiClient(second)
    body = api.get(f"exams/{exam.pk}").body
    assert (body["status"], body["review"], body["readings"]) == ("second_reading", None, [])
    for path in (f"exams/{exam.pk}", "exams", "gradings", f"images?exam={exam.pk}"):
        text = str(api.get(path).body)
        assert not reveals(text), path
        assert "'is_revealed': True" not in text, path
        assert "'grade': 4" not in text, path
    first = ApiClient(Reading.objects.get().reader).get(f"exams/{exam.pk}").body
    assert [one["stage"] for one in first["readings"]] == ["first"], "the first reader sees the own reading"


def test_the_order_of_the_worklist_does_not_follow_from_the_model(exam: Exam, second: User, site: Site) -> None:
    negative = waiting_exam(site, 0, 0)
    sign_findings(exam=negative, findings=found(), by=Reading.objects.get().reader)
    Exam.objects.filter(pk=negative.pk).update(due_at=exam.submitted_at)
    text = page_text(client_of(second), "worklist", state="waiting")
    assert text.index(str(negative.pk)) < text.index(str(exam.pk)), "the earlier due exam is first"


def test_a_second_reader_reads_blind_then_signs_and_a_senior_reviewer_decides(
    exam: Exam, second: User, site: Site, reviewer: User
) -> None:
    client = client_of(second)
    text = page_text(client, "exam-review", exam.pk)
    assert 'value="first_reading"' in text
    assert client.post(url("exam-first-reading", exam.pk), OWN).status_code == 302
    revealed = set(reveals(page_text(client, "exam-review", exam.pk)))
    assert "heatmap-" in revealed, "the model is shown after the own reading"
    assert not {SECRET, NOTE, "0.123"} & revealed, "the first reading is not"
    signed = client.post(url("exam-sign", exam.pk), OWN, follow=True)
    assert "It is no result yet" in text_of(signed)
    assert client.post(url("exam-sign", exam.pk), OWN).status_code == 302, "sent twice"
    exam.refresh_from_db()
    assert (exam.status, Reading.objects.count(), Review.objects.count()) == ("arbitration", 2, 0)
    senior = client_of(reader_of(site, "senior_reviewer"))
    assert "1 to decide" in page_text(senior, "worklist")
    assert senior.get(url("exam-review", exam.pk)).headers["Location"] == url("exam-consensus", exam.pk)
    text = page_text(senior, "exam-consensus", exam.pk)
    assert not has_own_findings(dict(one.split("=", 1) for one in checked(text))), "nothing was entered yet"
    for shown in (SECRET, NOTE, "second.reader", "1 mark", 'class="mark is-new_vessels_disc"'):
        assert shown in text, shown
    first = Reading.objects.get(stage="first")
    refused = senior.post(url("exam-consensus", exam.pk), {"decision": str(first.pk)})
    assert (refused.status_code, "Enter the reason" in text_of(refused)) == (422, True)
    decision = {"decision": "own", "reason": "Drusen", **OWN, "OD-verdict": "1"}
    assert senior.post(url("exam-consensus", exam.pk), {"decision": "own", "reason": "Drusen"}).status_code == 422
    assert client.post(url("exam-consensus", exam.pk), decision).status_code == 403
    assert senior.post(url("exam-consensus", exam.pk), decision).status_code == 302
    exam.refresh_from_db()
    assert (exam.status, Review.objects.get().findings.get(laterality="OD").grade) == ("signed", 1)
    text = page_text(client_of(reviewer), "exam-detail", exam.pk)
    assert all(shown in text for shown in ("First reading", "Second reading", "Arbitration", "Drusen"))
    assert senior.get(url("exam-consensus", exam.pk)).status_code == 302


def test_a_senior_reviewer_draws_own_marks(exam: Exam, second: User, site: Site) -> None:
    sign(exam, second)
    senior = client_of(reader_of(site, "senior_reviewer"))
    text = page_text(senior, "exam-consensus", exam.pk)
    for tool in ("data-marks-bar", 'data-marks="OD"', "data-keys-switch"):
        assert tool in text, tool
    assert {"viewer_marks_draw.js", "lesions.js"} <= loaded_files(text)
    assert not {"heatmap-", "p-referable"} & set(reveals(text)), "the model's result is not part of the decision"
    photo, other = exam.images.get(laterality=RIGHT), waiting_exam(site).images.get(laterality=RIGHT)
    entered_marks = [mark_row(photo), mark_row(photo, shape="circle", radius=0.1, kind="hard_exudates")]
    entered = {**OWN, "OD-verdict": "1", "OD-marks": marks_text(*entered_marks), "reason": "Looked twice"}
    foreign = marks_text(mark_row(other))
    address = url("exam-consensus", exam.pk)
    refused = senior.post(address, {**entered, "decision": "own", "OD-marks": foreign})
    assert (refused.status_code, str(other.pk) in text_of(refused)) == (422, True), "what was entered stays"
    assert "not of this eye and exam" in text_of(refused)
    incomplete = senior.post(address, {**entered, "decision": "", "OS-verdict": ""})
    assert (incomplete.status_code, "hard_exudates" in text_of(incomplete)) == (422, True)
    assert "Choose a grade" not in text_of(incomplete), "own findings are checked only if they are chosen"
    taken_over = {**entered, "decision": str(Reading.objects.get(stage="first").pk)}
    refused = senior.post(address, taken_over)
    assert (refused.status_code, "own findings, which are lost" in text_of(refused)) == (422, True)
    assert ConsensusForm({**taken_over, "drops_own": "on"}, readings=Reading.objects.all()).is_valid()
    assert senior.post(address, {**entered, "decision": "own"}).status_code == 302
    decision, review = Reading.objects.get(stage="arbitration"), Review.objects.get()
    for eyes in (decision.eyes, review.findings):
        marks = eyes.get(laterality="OD").marks.all()
        assert [(one.kind, one.shape, one.author_id) for one in marks] == [
            ("haemorrhages", "point", decision.reader_id),
            ("hard_exudates", "circle", decision.reader_id),
        ]


def test_the_decision_is_kept_as_a_draft_and_hides_nothing(exam: Exam, second: User, site: Site) -> None:
    sign(exam, second)
    arbiter, other = (reader_of(site, "senior_reviewer") for _ in range(2))
    senior, address = client_of(arbiter), url("exam-consensus-draft", exam.pk)
    page = page_text(senior, "exam-consensus", exam.pk)
    version = page.split('name="page_version" value="')[1].split('"')[0]
    entries = {"decision": "own", "reason": "Drusen", "OD-verdict": "1", "page_version": version, "draft_version": "0"}
    saved = senior.post(address, entries)
    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    assert senior.post(address, entries).json()["version"] == 1, "sent twice"
    assert AuditEvent.objects.filter(verb="draft.saved", object_type="arbitrationdraft").count() == 1
    text = page_text(senior, "exam-consensus", exam.pk)
    assert "Draft, not signed." in text
    assert {"decision=own", "OD-verdict=1"} <= set(checked(text))
    assert 'value="Drusen"' in text
    assert "Draft, not signed." not in page_text(client_of(other), "exam-consensus", exam.pk)
    newer = senior.post(address, entries | {"reason": "Drusen alone"})
    assert (newer.status_code, newer.json()["code"]) == (409, "newer_draft")
    assert senior.post(address, entries | {"reason": "Drusen alone", "keep": "yes"}).json()["version"] == 2
    assert senior.post(address, entries | {"reason": "x" * 9999, "keep": "yes"}).status_code == 422

    decision = {"decision": str(Reading.objects.get(stage="first").pk), "reason": "Clear"}
    assert client_of(other).post(url("exam-consensus", exam.pk), decision).status_code == 302
    assert not ArbitrationDraft.objects.exists()
    assert senior.post(address, entries).status_code == 422, "the exam is signed"
    assert "Clear" in page_text(senior, "exam-detail", exam.pk), "the result of the colleague is shown"


def test_a_draft_of_a_decision_is_discarded_and_not_kept_for_ever(exam: Exam, second: User, site: Site) -> None:
    sign(exam, second)
    senior = client_of(reader_of(site, "senior_reviewer"))
    senior.post(url("exam-consensus-draft", exam.pk), {"reason": "Drusen", "page_version": "of other photos"})
    assert "Draft, not signed." not in page_text(senior, "exam-consensus", exam.pk), "the photographs are others"
    assert senior.post(url("exam-consensus-draft-discard", exam.pk)).status_code == 302
    assert not ArbitrationDraft.objects.exists()
    senior.post(url("exam-consensus-draft", exam.pk), {"reason": "Drusen"})
    ArbitrationDraft.objects.update(updated_at=timezone.now() - timedelta(days=8))
    delete_old_drafts()
    assert not ArbitrationDraft.objects.exists()


def test_a_senior_who_read_it_does_not_decide(exam: Exam, site: Site) -> None:
    senior = reader_of(site, "senior_reviewer")
    sign(exam, senior)
    response = client_of(senior).get(url("exam-consensus", exam.pk), follow=True)
    assert "another senior reviewer decides" in text_of(response)


def test_a_manager_sees_which_exams_wait_for_a_person_whom_the_site_lacks(
    exam: Exam, site: Site, other_site: Site, reviewer: User, manager: User
) -> None:
    disputed, leaver = waiting_exam(site), reader_of(site)
    sign_findings(exam=disputed, findings=found(3, 0), by=reviewer)
    sign(disputed, leaver)
    leaver.memberships.all().delete()
    ExamFactory(patient__site=other_site, is_submitted=True, status="second_reading")
    client = client_of(manager)
    text = " ".join(page_text(client, "worklist").split())
    for sentence, reading, listed in (
        ("1 exam waits for a second reader", "second", exam),
        ("1 exam waits for a senior reviewer who has not read it", "arbitration", disputed),
    ):
        query = f"?state=waiting&amp;site={site.code}&amp;reading={reading}"
        assert f'<a href="{query}"> {site.name}: {sentence} </a>' in text
        found_exams = client.get(url("worklist") + query.replace("&amp;", "&")).context["exams"]
        assert list(found_exams) == [listed]
    assert f"{other_site.name}: " not in text
    assert "whom the site lacks" not in page_text(client_of(reviewer), "worklist"), "who is no manager"
    n_queries = count_queries(client, "worklist")
    reader_of(site, "senior_reviewer")
    assert "whom the site lacks" not in page_text(client, "worklist")
    assert count_queries(client, "worklist") == n_queries
