"""The list of long work of the sites that one manages."""

import datetime
from typing import Any

from django.test import Client
from django.utils import timezone

from screening.models import LetterBatch, Message, MessageBatch, Site, User
from screening.views.jobs import PER_PAGE
from tests.screening.factories import DataImportFactory, PatientFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url


def work_of(site: Site, by: User, n: int) -> dict[str, Any]:
    """One piece of work of each kind, the import first."""
    batch = MessageBatch.objects.create(site=site, n_queued=2, n_not_sent=0, created_by=by)
    for state, due_at in (("queued", timezone.now()), ("failed", None)):
        patient = PatientFactory(site=site)
        Message.objects.create(site=site, patient=patient, batch=batch, kind="invitation", state=state, due_at=due_at)
    letters = LetterBatch.objects.create(site=site, variant="standard", n_letters=8, created_by=by)
    state = "refused" if n else "checking"
    values = {"n_rows": 10, "n_checked": 4, "n_new": 3, "n_refused": 1} if not n else {"problem": "empty"}
    return {"import": DataImportFactory(site=site, owner=by, state=state, **values), "letters": letters}


def test_a_manager_sees_and_cancels_the_work_of_the_managed_sites(
    site: Site, manager: User, photographer: User, client: Client
) -> None:
    client.force_login(manager)
    assert "There was no long work yet" in page_text(client, "jobs")
    work = work_of(site, photographer, 0)
    elsewhere = DataImportFactory(state="refused", problem="empty")
    response = client.get(url("jobs"))
    jobs, text = response.context["jobs"], text_of(response)
    assert [str(job.kind) for job in jobs] == ["Import", "Letters", "Messages"]
    assert [(job.n_done, job.n_total, job.is_working) for job in jobs] == [(4, 10, True), (0, 8, True), (1, 2, True)]
    assert [(str(label), n) for label, n in jobs[0].results] == [("New", 3), ("Refused", 1)]
    assert 'value="4"' in text
    assert "every 5s" in text
    assert url("site-messages", site.pk) in text
    assert str(elsewhere.pk) not in text
    for job in jobs[:2]:
        assert client.post(url(job.cancel_url.partition(":")[2], job.url_id)).status_code == 302
    Message.objects.filter(state="queued").update(state="not_sent", due_at=None)
    response = client.get(url("jobs"))
    assert not any(job.is_working or job.cancel_url for job in response.context["jobs"])
    assert "every 5s" not in text_of(response)
    assert text_of(client.get(url("jobs-status"))).strip() in text_of(response)
    work["import"].refresh_from_db()
    assert work["import"].state == "cancelled"

    n_queries = count_queries(client, "jobs")
    for n in range(1, PER_PAGE):
        row = work_of(site, photographer, n)["import"]
        type(row).objects.filter(pk=row.pk).update(created_at=timezone.now() + datetime.timedelta(hours=n))
    assert count_queries(client, "jobs") <= n_queries <= 14
    newest = client.get(url("jobs")).context["jobs"]
    assert len(newest) == PER_PAGE
    assert newest[0].begun_at == max(job.begun_at for job in newest)
    assert newest[0].problem == "The file is empty. Choose another one."
    assert len(client.get(url("jobs"), {"page": 3}).context["jobs"]) == PER_PAGE
