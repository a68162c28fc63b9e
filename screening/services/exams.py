"""Exams: opening, recording eyes without a photograph, submitting, cancelling."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, is_allowed, require, require_allowed
from screening.labels.eyes import EYE_LABELS
from screening.labels.limits import too_long
from screening.labels.visit_facts import REQUIRABLE_FACTS
from screening.models import AuditEvent, Correction, Exam, FundusImage, Patient, User, VisitFacts
from screening.models.base import max_length
from screening.models.images import required_fields
from screening.policy import Urgency
from screening.policy.exam_states import FINISHED, PHOTOGRAPHED, ExamEvent, ExamState, can_happen, next_state
from screening.selectors.visit_facts import missing_facts, visit_facts_of
from screening.services.audit import record_event
from screening.services.bookings import mark_attended
from screening.services.worklist import update_priority_later, update_worklist_order


class ExamError(ValueError):
    """The exam does not allow this. The message is for the user."""


class ExamNotOpen(ExamError):
    """The exam was submitted, signed or cancelled."""

    def __init__(self) -> None:
        super().__init__(_("This exam is closed. Open a new exam for more photographs."))


class EyeNotPhotographed(ExamError):
    """An eye has neither a photograph nor a reason for its absence."""

    def __init__(self, laterality: Laterality) -> None:
        self.laterality = laterality
        message = (
            _("The right eye (OD) has no photograph. Add one, or record why there is none.")
            if laterality is Laterality.RIGHT
            else _("The left eye (OS) has no photograph. Add one, or record why there is none.")
        )
        super().__init__(message)


class HandOverQuestion(ExamError):
    """A question to answer before the exam is handed over. ``code`` is also its confirmation."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class FieldsMissing(HandOverQuestion):
    """A field that the site requires was not photographed."""

    CODE = "fields_missing"

    def __init__(self, missing: list[tuple[Laterality, FundusImage.Field]]) -> None:
        named = ", ".join(f"{EYE_LABELS[eye]}: {field.label}" for eye, field in missing)
        message = _("Your site requires a photograph that is missing: %(missing)s. Take it, or submit without it.")
        super().__init__(self.CODE, message % {"missing": named})


class FactsMissing(HandOverQuestion):
    """A fact of the visit that the site requires is not recorded."""

    CODE = "facts_missing"

    def __init__(self, missing: list[str]) -> None:
        named = ", ".join(str(REQUIRABLE_FACTS[name]) for name in missing)
        message = _("Your site requires facts that are missing: %(missing)s. Record them, or submit without them.")
        super().__init__(self.CODE, message % {"missing": named})


class ConsentRefused(ExamError):
    """The patient does not consent."""

    def __init__(self) -> None:
        super().__init__(_("The patient refused consent, so the exam cannot be submitted. Cancel it, or correct this."))


def check_length(text: str, model: type[Model], field: str) -> None:
    """Raises ExamError if ``text`` is longer than its column."""
    limit = max_length(model, field)
    if len(text) > limit:
        raise ExamError(too_long(limit))


def lock_exam(exam: Exam) -> Exam:
    """The exam as stored now, locked until the transaction ends."""
    return Exam.objects.select_for_update(of=("self",)).select_related("site", "patient").get(pk=exam.pk)


def apply_event(exam: Exam, event: ExamEvent) -> None:
    """Set the state after ``event`` on a locked exam; the caller saves it. The only code that changes a state.

    Raises NoTransition, which is a fault of the caller: a service checks first, with a text for its user.
    """
    exam.status = next_state(ExamState(exam.status), event)


def lock_open_exam(exam: Exam, action: Action, by: User, *, with_site: bool = False, **columns: Any) -> Exam:
    """The exam, locked, if it is open and ``by`` may do ``action``. One query. Raises AccessDenied, ExamNotOpen.

    ``with_site``: the row of its site is locked too. ``columns`` are annotated.
    """
    of = ("self", "site") if with_site else ("self",)
    rows = Exam.objects.select_for_update(of=of, no_key=with_site).select_related("site", "patient")
    locked = rows.annotate(may_do=is_allowed(by, action, site="site"), **columns).get(pk=exam.pk)
    require_allowed(locked.may_do)
    if not locked.is_open:
        raise ExamNotOpen
    return locked


def open_exam(*, patient: Patient, by: User) -> Exam:
    """As ``get_or_open_exam``; returns the exam alone."""
    return get_or_open_exam(patient=patient, by=by)[0]


@transaction.atomic
def get_or_open_exam(*, patient: Patient, by: User) -> tuple[Exam, bool]:
    """Open an exam at the patient's site. Returns the exam, and whether it is new.

    A booking of the day is attended then. A patient with an open exam gets that one, the newest if there are several:
    so a button that is pressed twice, and a request that is sent again, open one exam. Raises ExamError if the patient
    is merged into another, AccessDenied.
    """
    # The lock of the patient has two requests at the same moment wait for each other.
    locked = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient.pk)
    require(by, Action.OPEN_EXAM, locked.site)
    if locked.merged_into_id is not None:
        raise ExamError(_("This record was merged into another one. Open the exam there."))
    exam, is_new = find_or_open_exam(locked, by=by)
    mark_attended(exam=exam, by=by)
    return exam, is_new


def find_or_open_exam(patient: Patient, *, by: User) -> tuple[Exam, bool]:
    """As ``get_or_open_exam``, for a patient that is locked, and without a check of access."""
    unfinished = Exam.objects.filter(patient=patient, status__in=PHOTOGRAPHED).order_by("-created_at", "pk").first()
    if unfinished is not None:
        return unfinished, False
    exam = Exam.objects.create(site=patient.site, patient=patient, opened_by=by)
    record_event(
        verb=AuditEvent.Verb.EXAM_OPENED, subject=exam, site=exam.site, data={"patient": str(patient.pk)}, by=by
    )
    return exam, True


@transaction.atomic
def mark_eye_absent(*, exam: Exam, laterality: str, reason: str, by: User) -> Exam:
    """Record why an eye cannot be photographed; an empty reason deletes the record.

    Raises ExamError if the eye has photographs or the reason is too long, AccessDenied, ExamNotOpen.
    """
    locked = lock_open_exam(exam, Action.UPLOAD_IMAGE, by)
    eye = Laterality(laterality)
    reason = reason.strip()
    field = Exam.ABSENT_REASON_FIELDS[eye]
    check_length(reason, Exam, field)
    if reason and eye in photographed_eyes(locked):
        raise ExamError(_("This eye has photographs. Withdraw them before recording the eye as absent."))
    setattr(locked, field, reason)
    locked.save(update_fields=[field])
    update_worklist_order(locked)
    record_event(
        verb=AuditEvent.Verb.EYE_ABSENT,
        subject=locked,
        site=locked.site,
        data={"laterality": eye, "is_absent": bool(reason)},
        by=by,
    )
    return locked


@transaction.atomic
def mark_eye_not_photographed(*, exam: Exam, laterality: str, reason: str, by: User) -> Exam:
    """Record why a present eye has no photograph at this visit; an empty reason deletes the record.

    The exam can then be submitted; the reviewer signs that eye as not photographed, never as negative.
    Raises ExamError if the eye has photographs, is absent or the reason is too long, AccessDenied, ExamNotOpen.
    """
    locked = lock_open_exam(exam, Action.UPLOAD_IMAGE, by)
    eye = Laterality(laterality)
    reason = reason.strip()
    field = Exam.NOT_PHOTOGRAPHED_REASON_FIELDS[eye]
    check_length(reason, Exam, field)
    if reason and eye in photographed_eyes(locked):
        raise ExamError(_("This eye has photographs, so it is not recorded as not photographed."))
    if reason and locked.absent_reason(eye):
        raise ExamError(_("This eye is recorded as absent. Delete that record first."))
    setattr(locked, field, reason)
    locked.save(update_fields=[field])
    record_event(
        verb=AuditEvent.Verb.EYE_NOT_PHOTOGRAPHED,
        subject=locked,
        site=locked.site,
        data={"laterality": eye, "is_photographed": not reason},
        by=by,
    )
    return locked


@transaction.atomic
def submit_exam(*, exam: Exam, confirmed: Collection[str] = (), urgency: Urgency | None = None, by: User) -> Exam:
    """Submit the exam for review; ``confirmed`` has the codes of HandOverQuestions that the user has answered.

    ``urgency``: how soon it should be read, None: as it was; with the target of the site it gives the due time.

    Raises EyeNotPhotographed, ExamError if no eye has a photograph, a HandOverQuestion that is open, AccessDenied,
    ExamNotOpen.
    """
    locked = lock_open_exam(exam, Action.SUBMIT_EXAM, by)
    for eye in eyes_without_photograph(locked):
        raise EyeNotPhotographed(eye)
    if not photographed_eyes(locked):
        raise ExamError(
            _("No eye has a photograph, so there is nothing to review. Cancel this exam if none can be taken.")
        )
    missing, facts = missing_fields(locked), visit_facts_of(locked)
    if facts is not None and facts.consent == VisitFacts.Consent.REFUSED:
        raise ConsentRefused
    unknown = missing_facts(locked, facts)
    if missing and FieldsMissing.CODE not in confirmed:
        raise FieldsMissing(missing)
    if unknown and FactsMissing.CODE not in confirmed:
        raise FactsMissing(unknown)
    apply_event(locked, ExamEvent.SUBMIT)
    locked.submitted_at = timezone.now()
    locked.reading_urgency = urgency or locked.reading_urgency
    locked.due_at = locked.submitted_at + locked.site.reading_target(Urgency(locked.reading_urgency))
    locked.returned_at, locked.returned_reason = None, ""
    locked.save(update_fields=["status", "submitted_at", "reading_urgency", "due_at", "returned_at", "returned_reason"])
    update_priority_later(locked.site)
    counts = {FieldsMissing.CODE: len(missing), FactsMissing.CODE: len(unknown)}
    data = {code: n for code, n in counts.items() if n}
    record_event(verb=AuditEvent.Verb.EXAM_SUBMITTED, subject=locked, site=locked.site, data=data, by=by)
    return locked


@transaction.atomic
def cancel_exam(*, exam: Exam, reason: str = "", by: User) -> Exam:
    """Cancel an exam; its photographs stay. Raises ExamError if a reader signed it or it is cancelled, AccessDenied."""
    locked = lock_exam(exam)
    require(by, Action.CANCEL_EXAM, locked.site)
    if locked.status in FINISHED:
        raise ExamError(_("This exam is already signed or cancelled."))
    if not can_happen(ExamState(locked.status), ExamEvent.CANCEL):
        raise ExamError(_("A reader has signed findings of this exam. Ask a reader to return it, then cancel it."))
    reason = reason.strip()
    check_length(reason, Correction, "reason")
    apply_event(locked, ExamEvent.CANCEL)
    locked.save(update_fields=["status"])
    update_priority_later(locked.site)
    if reason:
        kind = Correction.Kind.EXAM_CANCELLED
        Correction.objects.create(site=locked.site, kind=kind, exam=locked, reason=reason, made_by=by)
    record_event(verb=AuditEvent.Verb.EXAM_CANCELLED, subject=locked, site=locked.site, by=by)
    return locked


def photographed_eyes(exam: Exam) -> set[Laterality]:
    """Eyes with a photograph that is not withdrawn."""
    eyes = FundusImage.objects.filter(exam=exam, withdrawn_at__isnull=True).order_by().values_list("laterality")
    return {Laterality(eye) for (eye,) in eyes.distinct()}


def eyes_without_photograph(exam: Exam) -> list[Laterality]:
    """Eyes that have neither a photograph nor a reason for that."""
    photographed = photographed_eyes(exam)
    return [eye for eye in Laterality if eye not in photographed and not exam.is_without_photograph(eye)]


def missing_fields(exam: Exam) -> list[tuple[Laterality, FundusImage.Field]]:
    """Fields that the site requires and that were not photographed, of eyes without a reason for that."""
    images = FundusImage.objects.filter(exam=exam, withdrawn_at__isnull=True).order_by()
    taken = set(images.values_list("laterality", "field").distinct())
    eyes = [eye for eye in Laterality if not exam.is_without_photograph(eye)]
    return [(eye, field) for eye in eyes for field in required_fields(exam.site) if (eye, field) not in taken]


def forget_not_photographed(exam: Exam, laterality: Laterality) -> None:
    """Delete the reasons for an eye without a photograph, because the eye has another one now."""
    field, code = Exam.NOT_PHOTOGRAPHED_REASON_FIELDS[laterality], Exam.UNOBTAINABLE_FIELDS[laterality]
    if getattr(exam, field) or getattr(exam, code):
        for name in (field, code, f"{code}_reason"):
            setattr(exam, name, "")
        exam.save(update_fields=[field, code, f"{code}_reason"])
