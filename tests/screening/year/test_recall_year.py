"""A year at one site: 70 people, each in one state; bookings, readings and referrals agree from week to week."""

import datetime
from collections import Counter, defaultdict
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from screening.models import (
    AuditEvent,
    Booking,
    ContactAttempt,
    Membership,
    Message,
    Patient,
    Reading,
    Referral,
    RegisterEntry,
    Review,
    Site,
    User,
)
from screening.policy.bookings import BookingStatus
from screening.policy.exam_states import PHOTOGRAPHED, WAITING
from screening.policy.messages import MessageConsent, MessageMode, MessageState
from screening.policy.outcome_tables import MacularOedema
from screening.policy.protocols import DEFAULT_NEGATIVE_PERCENT, ReadingStage, SamplePurpose, is_sampled
from screening.policy.recall import RecallState
from screening.policy.referrals import CLOSED_STATES, REFERRAL_OUTCOMES, ReferralState, is_late
from screening.policy.register import RegisterStatus
from screening.selectors.due_list import DueFilters, count_states, due_list
from screening.selectors.referrals import ReferralFilters, count_late_referrals, count_referrals, list_referrals
from screening.selectors.worklist_counts import count_worklist
from screening.services import message_sending
from screening.services.patients import register_patient
from tests.screening.protocols import reader_of, use_protocol
from tests.screening.year.clinic import Clinic, Clock
from tests.screening.year.stories import (
    PEOPLE,
    YEAR,
    MakeStory,
    attends_an_appointment,
    is_negative_by_arbitration,
    is_on_the_pregnancy_pathway,
    is_referred_by_arbitration,
    misses_an_appointment,
    moves_an_appointment,
    reacts_to_nothing,
)

S, B = RecallState, BookingStatus
FIRST, SECOND, THIRD = ReadingStage.FIRST.value, ReadingStage.SECOND.value, ReadingStage.ARBITRATION.value
N_PEOPLE = 70
WEEKS = (*range(24), *range(24, YEAR, 2))
"""After half a year little happens: every second week."""
OUT = {S.SUSPENDED, S.OPTED_OUT, S.EXCLUDED, S.MOVED, S.DECEASED}


@pytest.fixture
def clinic(site: Site, photographer: User, reviewer: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """A site that sends e-mail by itself, and reads every positive and a tenth of the negatives twice."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    monkeypatch.setattr(message_sending, "MAX_RUN_S", 3600)  # all messages of a week, also on a slow computer
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    site.message_mode = MessageMode.AUTOMATIC.value
    site.message_sender = site.message_phone = "Harbour Clinic"
    site.save()
    use_protocol(site, "double_positives")
    second_reader, senior_reviewer = reader_of(site), reader_of(site, Membership.Role.SENIOR_REVIEWER)
    return Clinic(site, photographer, reviewer, second_reader, senior_reviewer, clock)


def register_people(clinic: Clinic) -> dict[MakeStory, list[Patient]]:
    """All people, by story; every second one has an e-mail address."""
    people: dict[MakeStory, list[Patient]] = {}
    for story, (n, _state) in PEOPLE.items():
        people[story] = []
        for number in range(n):
            mrn = f"{story.__name__}-{number}"
            person = register_patient(
                site=clinic.site, mrn=mrn, family_name=mrn, born_on="1960", by=clinic.photographer
            )
            if number % 2:
                person.email, person.email_consent = f"{mrn}@example.org", MessageConsent.GIVEN.value
                person.save()
            people[story].append(person)
    assert sum(map(len, people.values())) == N_PEOPLE
    return people


def check_people(clinic: Clinic) -> None:
    """Each person is in one state, with a due date or a reason; the list and its counts agree."""
    user, site = clinic.photographer, clinic.site
    everyone: list[Any] = list(due_list(user=user, site=site, filters=DueFilters()))
    counts = count_states(user=user, site=site)
    assert sum(counts.values()) == len(everyone) == N_PEOPLE
    assert Counter(S(one.state) for one in everyone) == +Counter(counts)
    opened = set(Referral.objects.exclude(state__in=CLOSED_STATES).values_list("exam__patient", flat=True))
    for one in everyone:
        status = one.register_status_on(clinic.clock.today)
        assert (S(one.state) in OUT) == (status is not RegisterStatus.ELIGIBLE), one.mrn
        if one.due_on is None:
            assert one.state in OUT | {S.IN_PROGRESS} or (one.state == S.REFERRED and one.pk in opened), one.mrn
        else:
            assert one.state != S.REFERRED, one.mrn
            assert one.next_step, one.mrn
    waiting = count_worklist(user=clinic.reviewer, site=site).waiting
    n_being_read = Patient.objects.filter(exams__status__in=WAITING).distinct().count()
    assert waiting == n_being_read == len(clinic.to_read)
    n_left = Patient.objects.filter(exams__status__in=PHOTOGRAPHED).distinct().count()
    assert counts[S.IN_PROGRESS] <= waiting + n_left
    booked = Booking.objects.filter(status=B.BOOKED)
    assert {one.pk for one in everyone if one.state == S.BOOKED} == {one.patient_id for one in booked}
    assert all(one.day >= clinic.clock.today for one in booked), "a past appointment is open"


def check_bookings(people: dict[MakeStory, list[Patient]]) -> None:
    """At the end each appointment was attended, missed or cancelled, as in the stories."""
    n_moved, n_missed = len(people[moves_an_appointment]), len(people[misses_an_appointment])
    n_attended = len(people[attends_an_appointment]) + n_moved
    statuses = Counter(Booking.objects.values_list("status", flat=True))
    assert statuses == {B.ATTENDED: n_attended, B.CANCELLED: n_moved, B.DID_NOT_ATTEND: n_missed}
    assert all((one.exam is not None) == (one.status == B.ATTENDED) for one in Booking.objects.select_related("exam"))
    missed = ContactAttempt.objects.filter(kind="no_show").values_list("patient", flat=True)
    assert sorted(missed) == sorted(one.pk for one in people[misses_an_appointment])


def check_readings(clinic: Clinic, people: dict[MakeStory, list[Patient]]) -> None:
    """Every positive and every sampled negative was read by two, others by one; who disagreed had a third."""
    disagreed = {one.pk for story in (is_negative_by_arbitration, is_referred_by_arbitration) for one in people[story]}
    readers = {FIRST: clinic.reviewer, SECOND: clinic.second_reader, THIRD: clinic.senior_reviewer}
    readings: dict[Any, dict[str, Reading]] = defaultdict(dict)
    for reading in Reading.objects.prefetch_related("eyes"):
        assert reading.reader_id == readers[reading.stage].pk
        readings[reading.exam_id][reading.stage] = reading
    arbitrated = set()
    for review in Review.objects.select_related("exam").prefetch_related("findings"):
        found = readings.pop(review.exam_id, {})
        eyes: list[Any] = [*review.findings.all(), *(eye for one in found.values() for eye in one.eyes.all())]
        is_positive = any(eye.grade != 0 or eye.macular_oedema != MacularOedema.NONE for eye in eyes)
        is_in_sample = is_sampled(SamplePurpose.SECOND_READING, review.exam_id, 0, DEFAULT_NEGATIVE_PERCENT)
        assert ({FIRST, SECOND} <= set(found)) == bool(found) == (is_positive or is_in_sample)
        signed_by = THIRD if THIRD in found else SECOND if found else FIRST
        assert review.reviewer_id == readers[signed_by].pk
        arbitrated |= {review.exam.patient_id} if THIRD in found else set()
    assert readings == {}, "a reading without a result"
    assert arbitrated == disagreed


def check_filters(clinic: Clinic) -> None:
    """Each filter of the due list has as many people as its count."""
    for state, n in count_states(user=clinic.photographer, site=clinic.site).items():
        assert due_list(user=clinic.photographer, site=clinic.site, filters=DueFilters(state=state)).count() == n


def check_referrals(clinic: Clinic) -> None:
    """The list, its filters, its counts and the number in the menu agree, and each late step is reported once."""
    user, site, today = clinic.photographer, clinic.site, clinic.clock.today
    rows = list(Referral.objects.all())
    counts = count_referrals(user=user, site=site)
    open_rows = [row for row in rows if row.state not in CLOSED_STATES]
    late = {row.pk for row in rows if is_late(row.due_on, today)}
    assert {state: n for state, n in counts.states.items() if n} == Counter(ReferralState(row.state) for row in rows)
    assert counts.open == len(open_rows) == list_referrals(user=user, filters=ReferralFilters()).count()
    assert {one.pk for one in list_referrals(user=user, filters=ReferralFilters(is_late=True))} == late
    assert counts.late == count_late_referrals(user) == len(late)
    assert all((row.due_on is None) == (row.state in CLOSED_STATES) for row in rows)
    assert {row.pk for row in rows if row.late_since is not None} >= late
    reported = Counter(
        AuditEvent.objects.filter(verb=AuditEvent.Verb.REFERRAL_LATE).values_list("object_id", "data__state")
    )
    assert set(reported.values()) <= {1}
    assert {object_id for object_id, _state in reported} >= {str(pk) for pk in late}
    referred = Review.objects.filter(outcome__in=REFERRAL_OUTCOMES).values_list("exam", flat=True)
    assert sorted(row.exam_id for row in rows) == sorted(referred), "not one referral for each result that refers"


def check_contacts(clinic: Clinic, before: dict[Any, tuple[str, datetime.date | None]]) -> None:
    """No person was invited today whom the register, an exam or the due date excludes; ``before``: the morning."""
    today = clinic.clock.today
    soonest = today + datetime.timedelta(days=clinic.site.recall_rules.invite_before_days)
    contacts = ContactAttempt.objects.filter(on=today).exclude(kind="no_show").select_related("patient")
    for one in contacts:
        state, due_on = before[one.patient_id]
        assert state in {S.DUE, S.OVERDUE}, (one.patient.mrn, state)
        assert clinic.out_until.get(one.patient_id, datetime.date.min) < today, one.patient.mrn
        assert due_on is not None
        assert due_on <= soonest
    assert len({one.patient_id for one in contacts}) == len(contacts), "two contacts of one person in a day"
    sent = Message.objects.filter(state=MessageState.SENT.value)
    assert len(mail.outbox) == sent.count() == ContactAttempt.objects.filter(channel="email").count()


def test_the_numbers_of_a_year_add_up(clinic: Clinic) -> None:
    people = register_people(clinic)
    stories = [story(clinic, person) for story in PEOPLE for person in people[story]]
    for week in WEEKS:
        clinic.clock.go_to_week(week)
        clinic.read_exams()
        morning: Any = due_list(user=clinic.photographer, site=clinic.site, filters=DueFilters())
        before = {pk: (state, due_on) for pk, state, due_on in morning.values_list("pk", "state", "due_on")}
        clinic.run_tasks(2 if week % 12 == 0 else 1)
        clinic.make_contacts()
        check_contacts(clinic, before)
        for one in stories:
            next(one, None)
        check_people(clinic)
        if week % 6 == 2:
            check_referrals(clinic)
    check_filters(clinic)
    check_bookings(people)
    check_readings(clinic, people)
    assert states_of(clinic, people) == {story: {state: n} for story, (n, state) in PEOPLE.items()}
    periods = RegisterEntry.objects.filter(reason="period_ended").select_related("patient")
    assert {entry.patient for entry in periods} == set(people[is_on_the_pregnancy_pathway])
    kinds = Counter(ContactAttempt.objects.filter(patient__in=people[reacts_to_nothing]).values_list("kind", flat=True))
    assert kinds == dict.fromkeys(
        ("invitation", "reminder", "second_try", "phone_call"), len(people[reacts_to_nothing])
    )


def states_of(clinic: Clinic, people: dict[MakeStory, list[Patient]]) -> dict[MakeStory, dict[RecallState, int]]:
    """How many people of each story are in each state."""
    ended: Any = due_list(user=clinic.photographer, site=clinic.site, filters=DueFilters())
    states = {pk: S(state) for pk, state in ended.values_list("pk", "state")}
    return {story: dict(Counter(states[one.pk] for one in persons)) for story, persons in people.items()}
