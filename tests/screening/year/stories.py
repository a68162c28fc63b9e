"""What each of the 70 people of a simulated year does, from week to week."""

from collections.abc import Callable

from screening.labels.referrals import Treatment
from screening.models import Patient
from screening.policy.recall import ContactKind, RecallState
from screening.policy.referrals import ReferralState
from screening.policy.register import RegisterReason, RegisterStatus
from tests.screening.year.clinic import Clinic, Story

MakeStory = Callable[[Clinic, Patient], Story]
S, K, R = RecallState, ContactKind, ReferralState
YEAR = 52


def attends(clinic: Clinic, person: Patient) -> Story:
    """No retinopathy: the next screening is in 12 months, and its invitation 6 weeks before."""
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, 0)


def attends_an_appointment(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    clinic.book(person, weeks=2)
    yield from clinic.wait(2)
    yield from clinic.photograph(person, 0)


def moves_an_appointment(clinic: Clinic, person: Patient) -> Story:
    """To 5 weeks after the invitation: the next invitation is after the end of the year."""
    yield from clinic.until_contact(person, K.INVITATION)
    booking = clinic.book(person, weeks=2)
    yield from clinic.wait(1)
    clinic.cancel(booking)
    clinic.book(person, weeks=4)
    yield from clinic.wait(4)
    yield from clinic.photograph(person, 0)


def misses_an_appointment(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    clinic.book(person, weeks=2)
    yield from clinic.until_contact(person, K.SECOND_TRY)
    yield from clinic.photograph(person, 1)


def is_negative_by_arbitration(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, 2, 0, 0)


def comes_after_a_call(clinic: Clinic, person: Patient) -> Story:
    """Later the clinic calls about something else."""
    yield from clinic.until_contact(person, K.PHONE_CALL)
    yield from clinic.photograph(person, 0)
    yield from clinic.wait(2)
    clinic.contact(person, K.PHONE_CALL)


def reacts_to_nothing(clinic: Clinic, person: Patient) -> Story:
    yield


def is_ungradable_once(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, None)
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, 0)


def _ungradable_twice(clinic: Clinic, person: Patient) -> Story:
    for _ in range(2):
        yield from clinic.until_contact(person, K.INVITATION)
        yield from clinic.photograph(person, None)
    yield


def is_seen_at_the_slit_lamp(clinic: Clinic, person: Patient) -> Story:
    yield from _ungradable_twice(clinic, person)
    yield from clinic.refer(person, R.SENT, R.BOOKED, R.ATTENDED)
    clinic.receive_result(person, 0, Treatment.NONE)


def declines_the_slit_lamp(clinic: Clinic, person: Patient) -> Story:
    yield from _ungradable_twice(clinic, person)
    yield from clinic.refer(person, R.SENT, R.DECLINED)


def waits_for_the_slit_lamp(clinic: Clinic, person: Patient) -> Story:
    yield from _ungradable_twice(clinic, person)
    yield from clinic.refer(person, R.SENT, R.RECEIVED)


def _referred(clinic: Clinic, person: Patient, *grades: int) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, *grades)
    yield


def is_treated_at_the_hospital(clinic: Clinic, person: Patient) -> Story:
    yield from _referred(clinic, person, 4)
    yield from clinic.refer(person, R.SENT, R.BOOKED, R.ATTENDED, weeks=1)
    clinic.receive_result(person, 4, Treatment.LASER)
    clinic.leave(person, RegisterStatus.SUSPENDED, RegisterReason.HOSPITAL_EYE_SERVICE, weeks=YEAR)


def is_referred_by_arbitration(clinic: Clinic, person: Patient) -> Story:
    yield from _referred(clinic, person, 1, 2, 2)
    yield from _declines(clinic, person)


def declines_a_referral(clinic: Clinic, person: Patient) -> Story:
    yield from _referred(clinic, person, 2)
    yield from _declines(clinic, person)


def _declines(clinic: Clinic, person: Patient) -> Story:
    """The person is screened again after 6 months."""
    yield from clinic.refer(person, R.SENT, R.DECLINED)
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, 1)


def has_a_referral_that_is_not_sent(clinic: Clinic, person: Patient) -> Story:
    yield from _referred(clinic, person, 3)


def becomes_pregnant(clinic: Clinic, person: Patient) -> Story:
    """Screened each trimester, and after the birth."""
    for is_pregnant in (True, True, True, False):
        yield from clinic.until_contact(person, K.INVITATION)
        yield from clinic.photograph(person, 0, is_pregnant=is_pregnant)


def is_on_the_pregnancy_pathway(clinic: Clinic, person: Patient) -> Story:
    """Of a hospital, for 26 weeks."""
    yield from clinic.wait(8)
    clinic.leave(person, RegisterStatus.SUSPENDED, RegisterReason.PREGNANCY_PATHWAY, weeks=26)
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, 0)


def opts_out(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    clinic.leave(person, RegisterStatus.OPTED_OUT, RegisterReason.OWN_DECISION, weeks=2 * YEAR)


def dies(clinic: Clinic, person: Patient) -> Story:
    """Between the photographs and the result."""
    yield from clinic.until_contact(person, K.INVITATION)
    story = clinic.photograph(person, 3)
    next(story)
    clinic.leave(person, RegisterStatus.DECEASED, RegisterReason.DIED, weeks=None)


def moves(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.REMINDER)
    clinic.leave(person, RegisterStatus.MOVED, RegisterReason.OUT_OF_AREA, weeks=None)


def is_blind(clinic: Clinic, person: Patient) -> Story:
    yield from clinic.until_contact(person, K.INVITATION)
    clinic.leave(person, RegisterStatus.EXCLUDED, RegisterReason.NO_LIGHT_PERCEPTION, weeks=None)


def leaves_before_the_photographs(clinic: Clinic, person: Patient) -> Story:
    """An exam is opened, and no photograph is taken. After a call it is used, and its photographs are ungradable."""
    yield from clinic.until_contact(person, K.INVITATION)
    clinic.open_exam(person)
    yield from clinic.until_contact(person, K.PHONE_CALL)
    yield from clinic.photograph(person, None)
    yield from clinic.until_contact(person, K.INVITATION)
    yield from clinic.photograph(person, 0)


PEOPLE: dict[MakeStory, tuple[int, RecallState]] = {
    attends: (9, S.DUE),
    attends_an_appointment: (4, S.DUE),
    moves_an_appointment: (3, S.NOT_DUE),
    misses_an_appointment: (4, S.NOT_DUE),
    is_negative_by_arbitration: (3, S.DUE),
    is_referred_by_arbitration: (2, S.NOT_DUE),
    comes_after_a_call: (3, S.NOT_DUE),
    reacts_to_nothing: (4, S.LOST),
    is_ungradable_once: (4, S.DUE),
    is_seen_at_the_slit_lamp: (2, S.NOT_DUE),
    declines_the_slit_lamp: (2, S.LOST),
    waits_for_the_slit_lamp: (2, S.REFERRED),
    is_treated_at_the_hospital: (3, S.SUSPENDED),
    declines_a_referral: (2, S.NOT_DUE),
    has_a_referral_that_is_not_sent: (3, S.REFERRED),
    becomes_pregnant: (3, S.NOT_DUE),
    is_on_the_pregnancy_pathway: (3, S.NOT_DUE),
    opts_out: (4, S.OPTED_OUT),
    dies: (3, S.DECEASED),
    moves: (3, S.MOVED),
    is_blind: (2, S.EXCLUDED),
    leaves_before_the_photographs: (2, S.NOT_DUE),
}
"""How many people have each story, and the state in which the year ends for them."""
