"""Referrals: made, continued or withdrawn with the review, and the steps and results that people record."""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import Action, require
from screening.labels.limits import too_long
from screening.labels.referrals import STATE_LABELS, Treatment
from screening.models import AuditEvent, Exam, Referral, ReferralEvent, ReferralFeedback, Review, User
from screening.models.base import max_length
from screening.policy import MacularOedema, Outcome, Urgency
from screening.policy.referrals import (
    FEEDBACK_STATES,
    REFERRAL_OUTCOMES,
    AmendmentEffect,
    ReferralState,
    effect_of_amendment,
    next_due_on,
    step_of,
)
from screening.selectors.images import photographed_days
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.services.recalls import update_recall

Verb = AuditEvent.Verb
MAX_DAYS_AHEAD = 730
"""Of an appointment: one that is further away is a slip of the pen."""
GradeByEye = dict[Laterality, ICDRGrade | None]
OedemaByEye = dict[Laterality, MacularOedema]


class ReferralError(ExamError):
    """The referral does not allow this. ``field`` is the wrong entry, if it is one. The message is for the user."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ReferralChanged(ReferralError):
    """The referral is in another state by now."""

    def __init__(self, state: ReferralState) -> None:
        message = _("This referral was changed meanwhile: it is now “%(state)s”. Check it, then enter the step again.")
        super().__init__(message % {"state": STATE_LABELS[state]})


def follow_review(review: Review, *, by: User) -> Referral | None:
    """Make, continue, replace or withdraw the referral of a review that was signed just now; None if it does not refer,
    and at a practice site.

    Call it in the transaction of the signature, with the exam locked.
    """
    if review.exam.site.practice_of_id is not None:
        return None
    after = (Outcome(review.outcome), Urgency(review.urgency))
    kept = Referral.objects.select_for_update().filter(exam=review.exam).exclude(state=ReferralState.WITHDRAWN).first()
    if kept is None:
        return _make(review, by) if after[0] in REFERRAL_OUTCOMES else None
    before = (Outcome(kept.outcome), Urgency(kept.urgency))
    effect = effect_of_amendment(ReferralState(kept.state), before=before, after=after)
    if effect is AmendmentEffect.CONTINUE:
        return _continue(kept, review, by)
    if effect is AmendmentEffect.KEEP:
        return None
    _withdraw(kept, "review_amended", by)
    return _make(review, by) if effect is AmendmentEffect.REPLACE else None


def withdraw_referral(exam: Exam, *, by: User) -> None:
    """Withdraw the referral of an exam whose review does not count any more, in any state.

    A recorded result of the hospital stays, and does not count for figures. Call it with the exam locked.
    """
    for one in Referral.objects.select_for_update().filter(exam=exam).exclude(state=ReferralState.WITHDRAWN):
        _withdraw(one, "review_void", by)


@transaction.atomic
def record_step(
    *, referral: Referral, from_state: str, to: str, happened_on: datetime.date, note: str = "", by: User
) -> Referral:
    """Record a step: who learned what, and when it happened. A booking has the day of the appointment.

    ``from_state`` is the state that the user saw. Raises ReferralChanged, ReferralError, AccessDenied.
    """
    locked = _lock(referral, by)
    state, note = ReferralState(locked.state), note.strip()
    if state != from_state:
        raise ReferralChanged(state)
    step = step_of(state, ReferralState(to))
    if step is None:
        message = _("A referral that is “%(state)s” cannot become “%(to)s”.")
        raise ReferralError(message % {"state": STATE_LABELS[state], "to": STATE_LABELS[ReferralState(to)]})
    if step.needs_note and not note:
        raise ReferralError(_("Enter the reason. It is kept with the referral."), "note")
    _check_note(note, ReferralEvent)
    _check_day(locked, happened_on, is_appointment=step.to is ReferralState.BOOKED)
    locked.appointment_on = happened_on if step.to is ReferralState.BOOKED else None
    is_seen = step.to is ReferralState.ATTENDED
    locked.result_by = happened_on + datetime.timedelta(days=locked.site.referral_result_days) if is_seen else None
    _move(locked, step.to, happened_on, note, by)
    return locked


@transaction.atomic
def record_feedback(
    *,
    referral: Referral,
    from_state: str,
    examined_on: datetime.date,
    is_confirmed: bool,
    grades: GradeByEye,
    oedema: OedemaByEye,
    treatment: Treatment,
    note: str = "",
    by: User,
) -> ReferralFeedback:
    """Record what the hospital found and did, which closes the referral. Of several results the newest counts.

    Raises ReferralChanged, ReferralError, AccessDenied.
    """
    locked = _lock(referral, by)
    state, note = ReferralState(locked.state), note.strip()
    if state != from_state:
        raise ReferralChanged(state)
    if state not in FEEDBACK_STATES:
        message = _("The result of a referral that is “%(state)s” cannot be recorded.")
        raise ReferralError(message % {"state": STATE_LABELS[state]})
    if state is ReferralState.RESULT_BACK and not note:
        raise ReferralError(_("Enter why the recorded result is corrected."), "note")
    _check_note(note, ReferralFeedback)
    _check_day(locked, examined_on, is_appointment=False)
    feedback = ReferralFeedback.objects.create(
        referral=locked,
        examined_on=examined_on,
        is_confirmed=is_confirmed,
        right_grade=grades[Laterality.RIGHT],
        left_grade=grades[Laterality.LEFT],
        right_oedema=oedema[Laterality.RIGHT],
        left_oedema=oedema[Laterality.LEFT],
        treatment=treatment,
        note=note,
        recorded_by=by,
    )
    _move(locked, ReferralState.RESULT_BACK, examined_on, "", by)
    return feedback


def _make(review: Review, by: User) -> Referral:
    exam = review.exam
    referral = Referral(
        site=exam.site,
        exam=exam,
        review=review,
        outcome=review.outcome,
        urgency=review.urgency,
        made_on=timezone.localdate(review.signed_at, timezone=exam.site.zone),
    )
    _set_target_days(referral)
    _set_due(referral)
    referral.save(force_insert=True)
    _add_event(referral, "", referral.made_on, "", by)
    return referral


def _continue(referral: Referral, review: Review, by: User) -> Referral:
    is_other = (referral.outcome, referral.urgency) != (review.outcome, review.urgency)
    referral.review, referral.outcome, referral.urgency = review, review.outcome, review.urgency
    if is_other:
        _set_target_days(referral)
        _set_due(referral)
    referral.save()
    today = timezone.localdate(timezone=referral.site.zone)
    _add_event(referral, referral.state, today, "review_amended_continues", by)
    return referral


def _withdraw(referral: Referral, note: str, by: User) -> None:
    _move(referral, ReferralState.WITHDRAWN, timezone.localdate(timezone=referral.site.zone), note, by)


def _move(referral: Referral, to: ReferralState, day: datetime.date, note: str, by: User) -> None:
    from_state, referral.state = referral.state, to.value
    _set_due(referral)
    referral.save()
    _add_event(referral, from_state, day, note, by)
    update_recall(referral.exam.patient_id)


def _add_event(referral: Referral, from_state: str, day: datetime.date, note: str, by: User) -> None:
    values = {"from_state": from_state, "state": referral.state, "happened_on": day, "note": note, "recorded_by": by}
    ReferralEvent.objects.create(referral=referral, **values)
    data = {"exam": str(referral.exam_id), "from_state": from_state, "state": referral.state}
    record_event(verb=Verb.REFERRAL_CHANGED, subject=referral, site=referral.site, data=data, by=by)


def _set_target_days(referral: Referral) -> None:
    """By the site's settings, counted from the day of the photographs."""
    screened_on = photographed_days([referral.exam])[referral.exam.pk]
    sent, seen = referral.site.referral_target_days(referral.urgency)
    referral.send_by = screened_on + datetime.timedelta(days=sent)
    referral.see_by = screened_on + datetime.timedelta(days=seen)


def _set_due(referral: Referral) -> None:
    referral.due_on = next_due_on(
        ReferralState(referral.state),
        send_by=referral.send_by,
        see_by=referral.see_by,
        appointment_on=referral.appointment_on,
        result_by=referral.result_by,
    )
    if referral.due_on is None or (referral.late_since is not None and referral.late_since <= referral.due_on):
        referral.late_since = None  # in time again: reported again if the next step is late too


def _lock(referral: Referral, by: User) -> Referral:
    """The referral as stored now, locked until the transaction ends. Raises AccessDenied."""
    rows = Referral.objects.select_for_update(of=("self",)).select_related("site", "exam__site")
    locked = rows.get(pk=referral.pk)
    require(by, Action.UPDATE_REFERRAL, locked.site)
    return locked


def _check_note(note: str, model: type[ReferralEvent | ReferralFeedback]) -> None:
    limit = max_length(model, "note")
    if len(note) > limit:
        raise ReferralError(too_long(limit), "note")


def _check_day(referral: Referral, day: datetime.date, *, is_appointment: bool) -> None:
    today = timezone.localdate(timezone=referral.site.zone)
    if day < referral.made_on:
        raise ReferralError(_("This day is before the referral was made. Check the date."), "happened_on")
    if not is_appointment and day > today:
        raise ReferralError(_("This day is in the future. Enter the day on which it happened."), "happened_on")
    if is_appointment and day > today + datetime.timedelta(days=MAX_DAYS_AHEAD):
        raise ReferralError(_("This appointment is more than two years away. Check the date."), "happened_on")
