"""A clinic under a clock that is moved: what its people do in call and recall, by the services."""

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ml.vocabulary import ICDRGrade, Laterality
from screening.labels.referrals import Treatment
from screening.models import Booking, ContactAttempt, Exam, FundusImage, Patient, Reading, Referral, Site, User
from screening.policy import MacularOedema
from screening.policy.bookings import BookingStatus
from screening.policy.exam_states import ExamState
from screening.policy.recall import KIND_OF_STEP, RESULTS, ContactChannel, ContactKind, ContactResult, NextStep
from screening.policy.referrals import ReferralState
from screening.policy.register import RegisterReason, RegisterStatus
from screening.selectors.due_list import TO_CALL, DueFilters, due_list
from screening.services.arbitrations import arbitrate
from screening.services.bookings import book, change_booking
from screening.services.contacts import record_contact
from screening.services.exams import open_exam, submit_exam
from screening.services.readings import sign_findings
from screening.services.referrals import record_feedback, record_step
from screening.services.register import change_register_status
from screening.services.visit_facts import record_visit_facts
from screening.tasks import close_past_bookings, report_late_referrals, run_recall, send_messages
from tests.screening.protocols import Findings, found, sign

START = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
Story = Iterator[None]
"""What one person does: each step is a week."""


def _both(grade: int | None) -> Findings:
    return found(grade, grade, "unknown" if grade is None else "none")


class Clock:
    """The time of the simulation; it replaces ``django.utils.timezone.now``."""

    def __init__(self) -> None:
        self.now = START

    @property
    def today(self) -> datetime.date:
        return self.now.date()

    def go_to_week(self, week: int) -> None:
        self.now = START + datetime.timedelta(weeks=week)


@dataclass
class Clinic:
    """One site that reads every positive twice, with its people. Exams are read a week after they were submitted."""

    site: Site
    photographer: User
    reviewer: User
    second_reader: User
    senior_reviewer: User
    clock: Clock
    to_read: list[tuple[Exam, tuple[int | None, ...]]] = field(default_factory=list)
    """Submitted exams, with the grade that both readers will find, or those of the first reader, the second and the
    senior reviewer; None: ungradable."""
    out_until: dict[uuid.UUID, datetime.date] = field(default_factory=dict)
    """The last day on which a person may not be invited."""

    def run_tasks(self, n_runs: int) -> None:
        """The periodic tasks of a day. More than one run must not make a difference."""
        for _ in range(n_runs):
            close_past_bookings()
            run_recall()
            send_messages()
            report_late_referrals()

    def make_contacts(self) -> None:
        """Letters and telephone calls to all people of the due list whose next step is to be made today."""
        everyone: Any = due_list(user=self.photographer, site=self.site, filters=DueFilters())
        for person in everyone.filter(state__in=TO_CALL, next_step_on__lte=self.clock.today):
            step = NextStep(person.next_step)
            if step is NextStep.LOST or (person.email and step is not NextStep.PHONE):
                continue
            channel = ContactChannel.PHONE if step is NextStep.PHONE else ContactChannel.LETTER
            self.contact(person, KIND_OF_STEP[step], channel=channel)

    def contact(self, person: Patient, kind: ContactKind, *, channel: ContactChannel = ContactChannel.LETTER) -> None:
        result = ContactResult.NOT_REACHED if kind is ContactKind.PHONE_CALL else RESULTS[kind][0]
        record_contact(
            patient=person, kind=kind, channel=channel, result=result, on=self.clock.today, by=self.photographer
        )

    def until_contact(self, person: Patient, kind: ContactKind) -> Story:
        """Wait for a contact of today or later, then a week more for the appointment."""
        from_on = self.clock.today
        while not ContactAttempt.objects.filter(patient=person, kind=kind, on__gte=from_on).exists():
            yield
        yield

    def wait(self, weeks: int) -> Story:
        for _ in range(weeks):
            yield

    def book(self, person: Patient, weeks: int) -> Booking:
        day = self.clock.today + datetime.timedelta(weeks=weeks)
        return book(patient=person, day=day, by=self.photographer)

    def cancel(self, booking: Booking) -> None:
        change_booking(booking=booking, status=BookingStatus.CANCELLED, by=self.photographer)

    def open_exam(self, person: Patient) -> Exam:
        return open_exam(patient=person, by=self.photographer)

    def photograph(self, person: Patient, *grades: int | None, is_pregnant: bool = False) -> Story:
        """Both eyes are photographed today and read in a week; ``grades`` as in ``to_read``."""
        exam = self.open_exam(person)
        for eye in Laterality:
            FundusImage.objects.create(
                exam=exam,
                laterality=eye,
                sha256=uuid.uuid4().hex * 2,
                file="photo.jpg",
                format=FundusImage.Format.JPEG,
                width_px=120,
                height_px=90,
                n_bytes=10,
                uploaded_by=self.photographer,
            )
        if is_pregnant:
            record_visit_facts(exam=exam, facts={"is_pregnant": True}, by=self.photographer)
        self.to_read.append((submit_exam(exam=exam, by=self.photographer), grades))
        yield

    def read_exams(self) -> None:
        """Sign the exams that wait, by as many people as the protocol demands; both eyes have the same finding."""
        waiting, self.to_read = self.to_read, []
        for exam, grades in waiting:
            first, second, decided = grades * 3 if len(grades) == 1 else grades
            signed = sign_findings(exam=exam, findings=_both(first), by=self.reviewer)
            if isinstance(signed, Reading):
                sign(exam, self.second_reader, _both(second))
            exam.refresh_from_db()
            assert (exam.status == ExamState.ARBITRATION) == (first != second)
            if first != second:
                arbitrate(exam=exam, findings=_both(decided), reason="Seen at 1:1.", by=self.senior_reviewer)

    def leave(self, person: Patient, status: RegisterStatus, reason: RegisterReason, *, weeks: int | None) -> None:
        until = None if weeks is None else self.clock.today + datetime.timedelta(weeks=weeks)
        self.out_until[person.pk] = until or datetime.date.max
        change_register_status(patient=person, status=status, reason=reason, until_on=until, by=self.photographer)

    def referral(self, person: Patient) -> Referral:
        return Referral.objects.get(exam__patient=person)

    def refer(self, person: Patient, *states: ReferralState, weeks: int = 2) -> Story:
        """The referral reaches each state in turn, some weeks apart; an appointment is in as many weeks."""
        for to in states:
            referral = self.referral(person)
            is_appointment = to is ReferralState.BOOKED
            day = self.clock.today + datetime.timedelta(weeks=weeks if is_appointment else 0)
            note = "The person does not want it." if to is ReferralState.DECLINED else ""
            record_step(
                referral=referral, from_state=referral.state, to=to, happened_on=day, note=note, by=self.photographer
            )
            yield from self.wait(weeks)

    def receive_result(self, person: Patient, grade: int, treatment: Treatment) -> None:
        """The hospital's result of both eyes."""
        referral = self.referral(person)
        record_feedback(
            referral=referral,
            from_state=referral.state,
            examined_on=self.clock.today,
            is_confirmed=grade > 0,
            grades=dict.fromkeys(Laterality, ICDRGrade(grade)),
            oedema=dict.fromkeys(Laterality, MacularOedema.NONE),
            treatment=treatment,
            by=self.photographer,
        )
