"""Referrals follow the review; people record steps and results."""

import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.labels.referrals import Treatment
from screening.models import AuditEvent, Exam, Referral, ReferralEvent, ReferralFeedback, Review, Site, User
from screening.policy import MacularOedema
from screening.policy.referrals import ReferralState
from screening.selectors.referrals import referrals_of_patient
from screening.services.corrections import mark_in_error, move_exam
from screening.services.images import withdraw_image
from screening.services.merges import merge_patients, unmerge_patients
from screening.services.referrals import ReferralChanged, ReferralError, record_feedback, record_step
from screening.services.reviews import Finding, sign_review
from tests.screening.factories import ExamFactory, FundusImageFactory, PatientFactory, ReferralFactory

S = ReferralState
DAY = datetime.timedelta(days=1)
RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def sign(exam: Exam, grade: int, by: User, **changes: Any) -> Review:
    oedema = changes.pop("oedema", MacularOedema.NONE)
    findings = {
        eye: Finding(laterality=eye, is_gradable=True, grade=ICDRGrade(grade), macular_oedema=oedema)
        for eye in Laterality
    }
    return sign_review(exam=exam, findings=findings, by=by, **changes)


def amend(review: Review, grade: int, by: User, **changes: Any) -> Review:
    return sign(review.exam, grade, by, amends=review, amend_reason="Looked again", **changes)


def states(exam: Exam) -> list[str]:
    return list(Referral.objects.filter(exam=exam).order_by("created_at").values_list("state", flat=True))


def put(exam: Exam, state: S) -> Referral:
    """The referral of a signed exam, as if it had come to this state."""
    referral = Referral.objects.get(exam=exam)
    referral.state = state.value
    if not referral.is_open:
        referral.due_on = None
    referral.save()
    return referral


def today_at(site: Site) -> datetime.date:
    return timezone.localdate(timezone=site.zone)


def step(referral: Referral, to: S, by: User, **changes: Any) -> Referral:
    values = {"from_state": referral.state, "happened_on": today_at(referral.site), "to": to}
    return record_step(referral=referral, **{**values, **changes}, by=by)


def feedback(referral: Referral, by: User, **changes: Any) -> ReferralFeedback:
    values: dict[str, Any] = {
        "from_state": referral.state,
        "examined_on": today_at(referral.site),
        "is_confirmed": True,
        "grades": {RIGHT: ICDRGrade(4), LEFT: None},
        "oedema": {RIGHT: MacularOedema.CENTRE, LEFT: MacularOedema.UNKNOWN},
        "treatment": Treatment.LASER,
    }
    return record_feedback(referral=referral, **{**values, **changes}, by=by)


def test_a_review_that_refers_makes_a_referral_in_its_transaction(exam: Exam, reviewer: User) -> None:
    review = sign(exam, 4, reviewer)
    referral = Referral.objects.get()
    assert (referral.exam, referral.review, referral.state) == (exam, review, "made")
    assert (referral.outcome, referral.urgency) == (review.outcome, "immediate")
    screened_on = today_at(exam.site)
    assert (referral.send_by, referral.see_by) == (screened_on + 14 * DAY, screened_on + 42 * DAY)
    assert referral.due_on == referral.send_by
    event = referral.events.get()
    assert (event.from_state, event.state, event.recorded_by) == ("", "made", reviewer)
    assert AuditEvent.objects.filter(verb="referral.changed", object_id=str(referral.pk), actor=reviewer).exists()


def test_without_its_referral_nothing_is_signed(exam: Exam, reviewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_values: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(ReferralEvent.objects, "create", fail)
    with pytest.raises(RuntimeError):
        sign(exam, 4, reviewer)
    assert not Review.objects.exists()
    assert not Referral.objects.exists()


def test_target_days_are_those_of_the_site_and_of_the_photographs(exam: Exam, reviewer: User) -> None:
    Site.objects.update(referral_sent_soon_days=5, referral_seen_soon_days=9)
    taken_on = today_at(exam.site) - 3 * DAY
    exam.images.update(captured_on=taken_on, captured_on_source="client")
    sign(exam, 2, reviewer)
    referral = Referral.objects.get()
    assert (referral.send_by, referral.see_by) == (taken_on + 5 * DAY, taken_on + 9 * DAY)


def test_a_negative_review_makes_none(exam: Exam, reviewer: User) -> None:
    sign(exam, 0, reviewer)
    assert not Referral.objects.exists()


def test_the_same_outcome_after_an_amendment_continues_the_referral(exam: Exam, reviewer: User) -> None:
    review = sign(exam, 2, reviewer)
    put(exam, S.BOOKED)
    newer = amend(review, 2, reviewer)
    referral = Referral.objects.get()
    assert (referral.state, referral.review) == ("booked", newer)
    assert referral.events.count() == 2


def test_a_more_urgent_amendment_replaces_one_that_was_sent(exam: Exam, reviewer: User) -> None:
    review = sign(exam, 2, reviewer)
    put(exam, S.SENT)
    newer = amend(review, 4, reviewer)
    assert states(exam) == ["withdrawn", "made"]
    assert Referral.objects.get(state="made").review == newer


def test_a_more_urgent_amendment_before_it_is_sent_shortens_its_days(exam: Exam, reviewer: User) -> None:
    review = sign(exam, 2, reviewer)
    amend(review, 4, reviewer)
    referral = Referral.objects.get()
    assert (referral.state, referral.urgency) == ("made", "immediate")
    assert referral.due_on == today_at(exam.site) + 14 * DAY


def test_an_amendment_without_referral_withdraws_it_and_the_next_one_makes_another(exam: Exam, reviewer: User) -> None:
    review = amend(sign(exam, 2, reviewer), 0, reviewer)
    assert states(exam) == ["withdrawn"]
    note = ReferralEvent.objects.get(state="withdrawn")
    assert (note.note, note.note_text) == ("review_amended", "The review was amended.")
    amend(review, 2, reviewer)
    assert states(exam) == ["withdrawn", "made"]


def test_an_amendment_without_referral_keeps_a_recorded_result(exam: Exam, reviewer: User) -> None:
    review = sign(exam, 2, reviewer)
    put(exam, S.RESULT_BACK)
    amend(review, 0, reviewer)
    assert states(exam) == ["result_back"]


@pytest.mark.parametrize("state", sorted(set(S) - {S.WITHDRAWN}))
def test_a_result_entered_in_error_withdraws_the_referral_in_any_state(exam: Exam, reviewer: User, state: S) -> None:
    review = sign(exam, 2, reviewer)
    put(exam, state)
    mark_in_error(review=review, reason="Wrong patient", by=reviewer)
    assert states(exam) == ["withdrawn"]
    sign(Exam.objects.get(), 2, reviewer)
    assert states(exam) == ["withdrawn", "made"]


def test_a_withdrawn_photograph_withdraws_the_referral(exam: Exam, reviewer: User, manager: User) -> None:
    sign(exam, 2, reviewer)
    withdraw_image(image=exam.images.first(), code="wrong_patient", by=manager)  # type: ignore[arg-type]
    assert states(exam) == ["withdrawn"]


def test_a_moved_exam_withdraws_its_referral(exam: Exam, reviewer: User) -> None:
    sign(exam, 2, reviewer)
    other = PatientFactory(site=exam.site)
    move_exam(exam=exam, to_patient=other, reason="Wrong name", by=reviewer)
    assert states(exam) == ["withdrawn"]


def test_a_merged_patient_keeps_the_referral_and_so_after_parting(exam: Exam, reviewer: User) -> None:
    sign(exam, 2, reviewer)
    patient, into = exam.patient, PatientFactory(site=exam.site)
    merge_patients(patient=patient, into=into, reason="Registered twice", by=reviewer)
    assert [one.state for one in referrals_of_patient(user=reviewer, patient_id=into.pk)] == ["made"]
    unmerge_patients(patient=patient, reason="Two people", by=reviewer)
    assert [one.state for one in referrals_of_patient(user=reviewer, patient_id=patient.pk)] == ["made"]
    assert not referrals_of_patient(user=reviewer, patient_id=into.pk).exists()


@pytest.fixture
def referral(site: Site) -> Referral:
    return ReferralFactory(exam__patient__site=site)


def test_a_referral_is_followed_until_its_result(referral: Referral, photographer: User, site: Site) -> None:
    today = today_at(site)
    assert step(referral, S.SENT, photographer).due_on == referral.see_by
    referral = step(Referral.objects.get(), S.RECEIVED, photographer)
    referral = step(referral, S.BOOKED, photographer, happened_on=today + 20 * DAY)
    assert (referral.appointment_on, referral.due_on) == (today + 20 * DAY, today + 20 * DAY)
    referral = step(referral, S.BOOKED, photographer, happened_on=today + 10 * DAY, note="Sooner")
    referral = step(referral, S.RECEIVED, photographer, note="Missed it")
    assert referral.appointment_on is None
    assert referral.due_on == referral.see_by
    referral = step(referral, S.BOOKED, photographer, happened_on=today)
    referral = step(referral, S.ATTENDED, photographer)
    assert referral.due_on == today + 28 * DAY
    feedback(referral, photographer, note="Laser planned")
    referral.refresh_from_db()
    assert referral.state == "result_back"
    assert not referral.is_open
    result = referral.feedback.get()
    assert (result.right_grade, result.left_grade, result.right_oedema) == (4, None, "centre")
    history = list(referral.events.order_by("created_at").values_list("state", flat=True))
    assert history == ["sent", "received", "booked", "booked", "received", "booked", "attended", "result_back"]
    events = AuditEvent.objects.filter(verb="referral.changed", object_id=str(referral.pk))
    assert events.count() == len(history)
    assert not any("Laser planned" in str(vars(event)) for event in events)


@pytest.mark.parametrize(
    ("to", "changes", "message"),
    [
        (S.ATTENDED, {}, "cannot become"),
        (S.WITHDRAWN, {}, "cannot become"),
        (S.RESULT_BACK, {}, "cannot become"),
        (S.DECLINED, {"note": "  "}, "Enter the reason"),
        (S.SENT, {"happened_on": datetime.date(2020, 1, 1)}, "before the referral was made"),
        (S.SENT, {"note": "x" * 501}, "500"),
    ],
)
def test_a_wrong_step_is_refused_and_nothing_is_stored(
    referral: Referral, photographer: User, to: S, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ReferralError, match=message):
        step(referral, to, photographer, **changes)
    assert not referral.events.exists()
    referral.refresh_from_db()
    assert referral.state == "made"


def test_only_an_appointment_can_be_in_the_future(referral: Referral, photographer: User, site: Site) -> None:
    with pytest.raises(ReferralError, match="in the future"):
        step(referral, S.SENT, photographer, happened_on=today_at(site) + DAY)
    referral = step(referral, S.SENT, photographer)
    with pytest.raises(ReferralError, match="two years"):
        step(referral, S.BOOKED, photographer, happened_on=today_at(site) + 731 * DAY)


def test_a_step_from_a_state_that_changed_meanwhile_is_refused(referral: Referral, photographer: User) -> None:
    step(referral, S.SENT, photographer)
    with pytest.raises(ReferralChanged, match="changed meanwhile"):
        step(referral, S.SENT, photographer, from_state="made")
    with pytest.raises(ReferralChanged):
        feedback(referral, photographer, from_state="made")


def test_a_result_can_come_early_and_be_corrected_with_a_reason(referral: Referral, manager: User) -> None:
    with pytest.raises(ReferralError, match="cannot be recorded"):
        feedback(referral, manager)
    referral = step(referral, S.SENT, manager)
    feedback(referral, manager)
    referral.refresh_from_db()
    with pytest.raises(ReferralError, match="why the recorded result is corrected"):
        feedback(referral, manager, is_confirmed=False)
    feedback(referral, manager, is_confirmed=False, note="Letter of another patient")
    newest = referral.feedback.order_by("-created_at").first()
    assert newest is not None
    assert newest.is_confirmed is False


def test_a_reviewer_and_a_stranger_record_nothing(referral: Referral, reviewer: User, outsider: User) -> None:
    for user in (reviewer, outsider):
        with pytest.raises(AccessDenied):
            step(referral, S.SENT, user)
        with pytest.raises(AccessDenied):
            feedback(referral, user)


@pytest.mark.parametrize("name", ["events", "feedback"])
def test_history_and_results_are_append_only(referral: Referral, manager: User, name: str) -> None:
    feedback(step(referral, S.SENT, manager), manager)
    rows: Any = getattr(referral, name)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(note="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.all().delete()
