"""Messages: queued once, sent once, by the rules of each moment; the recall goes on from them."""

import datetime
import uuid
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening.access import AccessDenied
from screening.health.checks import HealthCheckError
from screening.management.commands import doctor
from screening.models import (
    AuditEvent,
    Booking,
    ContactAttempt,
    Message,
    MessageEvent,
    Patient,
    Site,
    User,
)
from screening.policy.messages import MessageChannel, MessageKind, MessageReason, MessageState
from screening.policy.recall import ContactChannel, ContactKind, ContactResult
from screening.policy.register import RegisterReason, RegisterStatus
from screening.services.contacts import record_contact
from screening.services.message_sending import send_messages
from screening.services.messages import (
    MessageRefused,
    cancel_message,
    preview_batch,
    queue_batch,
    queue_message,
)
from screening.services.recall_runs import run_recall
from screening.services.register import change_register_status
from tests.screening import message_fixtures as hook
from tests.screening.factories import BookingFactory, PatientFactory
from tests.screening.message_fixtures import by_email, by_sms, switch_on
from tests.screening.services.messages.conftest import ALL, days_ahead, log_of, queue_all

R, S = MessageReason, MessageState


def test_a_batch_is_previewed_queued_once_and_sent(site: Site, photographer: User) -> None:
    people = [by_email(site), by_sms(site), by_email(site, email_consent="no"), PatientFactory(site=site)]
    later = by_email(site, due_on=timezone.localdate() + datetime.timedelta(days=300))
    preview = preview_batch(site=site, filters=ALL, by=photographer)
    assert preview.channels == {MessageChannel.EMAIL: 1, MessageChannel.SMS: 1}
    assert preview.reasons == {R.NOTHING_TO_DO: 1, R.REFUSED: 1, R.NO_ADDRESS: 1}
    assert not Message.objects.exists()
    batch_id = uuid.uuid4()
    batch = queue_batch(site=site, filters=ALL, batch_id=batch_id, by=photographer)
    assert queue_batch(site=site, filters=ALL, batch_id=batch_id, by=photographer) == batch
    assert (batch.n_queued, batch.n_not_sent) == (2, 3)
    assert queue_all(site, photographer).n_queued == 0  # those messages wait already
    assert send_messages() == 2
    assert send_messages() == 0
    assert [one.to for one in mail.outbox] == [["ada@example.org"]]
    assert [one.to for one in hook.sent] == ["+447400123456"]
    assert hook.sent[0].text.startswith("Harbour Clinic: please call")
    states = {one.pk: Message.objects.filter(patient=one).order_by("created_at").first() for one in [*people, later]}
    assert [getattr(states[one.pk], "state", None) for one in people] == ["sent", "sent", "not_sent", "not_sent"]
    assert states[later.pk] is None
    first = states[people[0].pk]
    assert first is not None
    assert log_of(first) == [("queued", ""), ("sending", ""), ("sent", "")]
    assert AuditEvent.objects.filter(verb="patient.message_sent").count() == 2


def test_a_sent_message_is_a_contact_from_which_the_recall_goes_on(site: Site, photographer: User) -> None:
    patient = by_email(site)
    queue_all(site, photographer)
    send_messages()
    contact = ContactAttempt.objects.get()
    assert (contact.kind, contact.channel, contact.result) == ("invitation", "email", "sent")
    assert contact.recorded_by == photographer
    assert Message.objects.get().contact == contact
    patient.refresh_from_db()
    assert (patient.next_step, patient.next_step_on) == ("remind", timezone.localdate() + datetime.timedelta(days=14))


@pytest.mark.parametrize("status", [one for one in RegisterStatus if one is not RegisterStatus.ELIGIBLE])
def test_a_person_who_is_not_invited_gets_nothing_even_if_it_was_queued(
    site: Site, photographer: User, status: RegisterStatus
) -> None:
    patient = by_sms(site)
    queue_all(site, photographer)
    until = timezone.localdate() if status in {RegisterStatus.SUSPENDED, RegisterStatus.OPTED_OUT} else None
    reason = {
        RegisterStatus.SUSPENDED: RegisterReason.MEDICALLY_UNFIT,
        RegisterStatus.OPTED_OUT: RegisterReason.OWN_DECISION,
        RegisterStatus.EXCLUDED: RegisterReason.NO_DIABETES,
        RegisterStatus.MOVED: RegisterReason.OUT_OF_AREA,
        RegisterStatus.DECEASED: RegisterReason.DIED,
    }[status]
    change_register_status(patient=patient, status=status, reason=reason, until_on=until, by=photographer)
    assert send_messages() == 0
    assert not hook.sent
    assert log_of(Message.objects.get())[-1] == ("not_sent", "not_invited")
    assert preview_batch(site=site, filters=ALL, by=photographer).reasons == {R.NOT_INVITED: 1}
    with pytest.raises(MessageRefused):
        queue_message(patient=patient, kind=MessageKind.APPOINTMENT, appointment_at=days_ahead(), by=photographer)


def test_facts_that_change_before_sending_count(site: Site, photographer: User) -> None:
    refuses, called, changes = by_email(site), by_email(site), by_email(site)
    queue_all(site, photographer)
    Patient.objects.filter(pk=refuses.pk).update(email_consent="no")
    Patient.objects.filter(pk=changes.pk).update(email="new@example.org")
    values: dict[str, Any] = {"kind": ContactKind.INVITATION, "channel": ContactChannel.PHONE}
    record_contact(patient=called, **values, result=ContactResult.REACHED, on=timezone.localdate(), by=photographer)
    assert send_messages() == 1
    assert [one.to for one in mail.outbox] == [["new@example.org"]]
    reasons = dict(Message.objects.values_list("patient", "reason"))
    assert reasons == {refuses.pk: "refused", called.pk: "outdated", changes.pk: ""}


def test_messages_are_off_by_default_and_need_a_mail_server(site: Site, photographer: User, settings: Any) -> None:
    assert not Site().sends_messages
    patient = by_email(site)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert preview_batch(site=site, filters=ALL, by=photographer).reasons == {R.NO_CHANNEL: 1}
    site.message_mode = "off"
    site.save()
    with pytest.raises(MessageRefused):
        queue_all(site, photographer)
    with pytest.raises(MessageRefused):
        queue_message(patient=patient, kind=MessageKind.APPOINTMENT, appointment_at=days_ahead(), by=photographer)
    run_recall()
    assert not Message.objects.exists()


def test_a_site_that_sends_by_itself_makes_up_a_missed_night_and_repeats_nothing(site: Site) -> None:
    switch_on(site, message_mode="automatic")
    long_due = timezone.localdate() - datetime.timedelta(days=3)
    due = by_email(site, next_step_on=long_due)
    by_email(site, email_consent="")
    for _night in range(3):
        run_recall()
    assert sorted(Message.objects.values_list("state", "reason")) == [("not_sent", "no_consent"), ("queued", "")]
    send_messages()
    run_recall()
    assert Message.objects.count() == 2
    assert Message.objects.get(state="sent").patient == due
    assert ContactAttempt.objects.get().recorded_by is None
    Patient.objects.update(email_consent="yes")
    run_recall()
    assert Message.objects.filter(state="queued").count() == 1


def test_a_cancelled_message_is_not_sent(site: Site, photographer: User, reviewer: User) -> None:
    by_email(site)
    queue_all(site, photographer)
    message = Message.objects.get()
    with pytest.raises(AccessDenied):
        cancel_message(message=message, by=reviewer)
    cancel_message(message=message, by=photographer)
    assert send_messages() == 0
    assert log_of(message)[-1] == ("not_sent", "cancelled")
    with pytest.raises(MessageRefused):
        cancel_message(message=message, by=photographer)


@pytest.mark.parametrize("status", ["booked", "cancelled"])
def test_an_appointment_that_was_cancelled_is_not_announced(site: Site, photographer: User, status: str) -> None:
    patient, at = by_sms(site), days_ahead(days=5)
    booking = BookingFactory(patient=patient, site=site, day=timezone.localdate(at, site.zone))
    queue_message(patient=patient, kind=MessageKind.APPOINTMENT, appointment_at=at, by=photographer)
    Booking.objects.filter(pk=booking.pk).update(status=status)
    assert send_messages() == (1 if status == "booked" else 0)
    assert Message.objects.get().reason == ("" if status == "booked" else "outdated")


def test_a_person_with_an_appointment_is_not_invited(site: Site, photographer: User) -> None:
    patient = by_sms(site)
    queue_all(site, photographer)
    BookingFactory(patient=patient, site=site, day=timezone.localdate() + datetime.timedelta(days=5))
    assert send_messages() == 0
    assert Message.objects.get().reason == "outdated"
    assert preview_batch(site=site, filters=ALL, by=photographer).reasons == {R.NOTHING_TO_DO: 1}


def test_messages_to_one_person_are_checked(site: Site, photographer: User, reviewer: User) -> None:
    patient = by_sms(site, sms_consent="yes")
    queue: dict[str, Any] = {"patient": patient, "by": photographer}
    for kind, moment in (
        (MessageKind.RESULT_READY, None),  # there is none
        (MessageKind.APPOINTMENT, None),
        (MessageKind.APPOINTMENT, timezone.now()),
        (MessageKind.APPOINTMENT, days_ahead(days=800)),
        (MessageKind.INVITATION, None),  # from the due list
    ):
        with pytest.raises(MessageRefused):
            queue_message(kind=kind, appointment_at=moment, **queue)
    with pytest.raises(AccessDenied):
        queue_message(patient=patient, kind=MessageKind.APPOINTMENT, appointment_at=days_ahead(), by=reviewer)
    at = datetime.datetime(2030, 1, 31, 14, 30, tzinfo=datetime.UTC)
    Site.objects.update(timezone="Europe/Paris")
    patient.refresh_from_db()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("screening.services.messages.MAX_DAYS_AHEAD", 9999)
        queue_message(kind=MessageKind.APPOINTMENT, appointment_at=at, **queue)
    with pytest.raises(MessageRefused):
        queue_message(kind=MessageKind.APPOINTMENT, appointment_at=days_ahead(), **queue)
    assert send_messages() == 1
    assert "on 31 Jan 2030 at 15:30." in hook.sent[0].text
    assert not ContactAttempt.objects.exists()  # no contact of call and recall


def test_events_and_texts_cannot_be_changed(site: Site, photographer: User) -> None:
    by_email(site)
    queue_all(site, photographer)
    with pytest.raises(DatabaseError), transaction.atomic():
        MessageEvent.objects.update(state="sent")
    send_messages()
    with pytest.raises(DatabaseError), transaction.atomic():  # the migration has made this trigger again
        ContactAttempt.objects.update(note="x")


def test_a_batch_needs_as_many_queries_for_more_people(site: Site, photographer: User) -> None:
    counts = []
    for n_people in (2, 20):
        for _ in range(n_people):
            by_email(site)
        with CaptureQueriesContext(connection) as queries:
            preview_batch(site=site, filters=ALL, by=photographer)
            queue_all(site, photographer)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_doctor_finds_messages_that_wait_and_a_missing_mail_server(
    site: Site, photographer: User, settings: Any
) -> None:
    assert doctor.diagnose_messages() == "on at 1 sites"
    by_email(site)
    queue_all(site, photographer)
    Message.objects.update(due_at=timezone.now() - datetime.timedelta(hours=3))
    with pytest.raises(HealthCheckError, match="1 wait for more than 2 hours"):
        doctor.diagnose_messages()
    send_messages()
    settings.SMS_BACKEND = ""
    assert doctor.diagnose_messages() == "on at 1 sites; no SMS_BACKEND is set"
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    with pytest.raises(HealthCheckError, match="no mail server and no SMS_BACKEND is set"):
        doctor.diagnose_messages()
    Site.objects.update(message_mode="off")
    assert doctor.diagnose_messages() == "switched off at each site"
