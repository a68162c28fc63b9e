"""Messages of an earlier cycle of call and recall do not keep a person from those of the present one."""

import datetime

import pytest
from django.utils import timezone

from screening.models import Message, Site
from screening.policy.messages import MessageState
from screening.services.message_sending import send_messages
from screening.services.recall_runs import run_recall
from tests.screening.factories import ExamFactory, ReviewFactory
from tests.screening.message_fixtures import by_email, switch_on


@pytest.mark.parametrize("earlier", [MessageState.SENT, MessageState.FAILED])
def test_a_person_who_is_due_again_at_once_is_invited_again(
    site: Site, earlier: MessageState, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_on(site, message_mode="automatic")
    person = by_email(site)
    run_recall()
    send_messages()
    if earlier is MessageState.FAILED:
        Message.objects.update(state=earlier.value, reason="temporary")
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + datetime.timedelta(days=7))
    exam = ExamFactory(patient=person, is_submitted=True, status="signed")
    ReviewFactory(exam=exam, outcome="repeat_imaging", recall_on=timezone.localdate())
    monkeypatch.setattr(timezone, "now", lambda: now + datetime.timedelta(days=8))
    for _run in range(2):
        run_recall()
    assert list(Message.objects.order_by("created_at").values_list("state", "step")) == [
        (earlier, "invite"),
        ("queued", "invite"),
    ]
    send_messages()
    run_recall()
    assert Message.objects.filter(state="sent").count() == (2 if earlier is MessageState.SENT else 1)
    assert Message.objects.count() == 2
