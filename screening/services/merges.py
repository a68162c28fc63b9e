"""Two records of one person: merging them, and parting them again."""

from django.db import transaction
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import AuditEvent, Correction, Exam, Patient, User
from screening.policy.messages import MessageConsent
from screening.services.audit import record_event
from screening.services.bookings import move_bookings, return_bookings
from screening.services.corrections import CorrectionRefused, checked_reason, lock_patients
from screening.services.recalls import update_recall


@transaction.atomic
def merge_patients(*, patient: Patient, into: Patient, reason: str, by: User) -> Patient:
    """Merge ``patient`` into another record of the same person at the same site; returns ``patient``.

    Its exams, with their results, and its open bookings belong to the other record then. The details of both stay as
    they are, but a refusal of messages counts for the other record too; ``patient`` leaves lists.
    Raises CorrectionRefused, AccessDenied.
    """
    require(by, Action.CORRECT_RECORD, patient.site)
    reason = checked_reason(reason)
    source, target = lock_patients(patient, into)
    if source.merged_into_id is not None or target.merged_into_id is not None:
        raise CorrectionRefused(_("One of the two records is merged already. Part them first, or choose another one."))
    if source.merged_from.exists():
        raise CorrectionRefused(
            _("Another record is merged into this one. Merge the other way round, or part these two first.")
        )
    source.merged_into = target
    source.save(update_fields=["merged_into"])
    _keep_refusals(source, target)
    exams = list(Exam.objects.select_for_update(of=("self",)).filter(patient=source).order_by("pk"))
    merged = Correction.Kind.PATIENTS_MERGED
    values = {"site": source.site, "from_patient": source, "to_patient": target, "reason": reason, "made_by": by}
    Correction.objects.create(kind=merged, **values)
    for exam in exams:
        _move(exam, Correction(kind=merged, exam=exam, **values))
    move_bookings(source, target)
    update_recall(source.pk, target.pk)
    _record(AuditEvent.Verb.PATIENTS_MERGED, source, target, len(exams), by)
    return source


@transaction.atomic
def unmerge_patients(*, patient: Patient, reason: str, by: User) -> Patient:
    """Part a merged ``patient`` from the other record: it has the exams and open bookings again that it had before.

    Exams that were moved to someone on purpose since then stay there, and exams opened since then stay with the other
    record. Raises CorrectionRefused if the record is not merged, AccessDenied.
    """
    require(by, Action.CORRECT_RECORD, patient.site)
    reason = checked_reason(reason)
    into = Patient.objects.filter(merged_from=patient).first()
    if into is None:
        raise CorrectionRefused(_("This record is not merged into another one."))
    source, target = lock_patients(patient, into)
    if source.merged_into_id != target.pk:
        raise CorrectionRefused(_("This record is not merged into another one."))
    exams = _exams_of_merge(source, target)
    source.merged_into = None
    source.save(update_fields=["merged_into"])
    parted = Correction.Kind.PATIENTS_UNMERGED
    values = {"site": source.site, "from_patient": target, "to_patient": source, "reason": reason, "made_by": by}
    Correction.objects.create(kind=parted, **values)
    for exam in exams:
        _move(exam, Correction(kind=parted, exam=exam, **values))
    return_bookings(source, target)
    update_recall(source.pk, target.pk)
    _record(AuditEvent.Verb.PATIENTS_UNMERGED, source, target, len(exams), by)
    return source


def _exams_of_merge(source: Patient, target: Patient) -> list[Exam]:
    """Exams that the last merge moved and that were not moved since then, locked."""
    rows = Correction.objects.filter(
        kind=Correction.Kind.PATIENTS_MERGED, from_patient=source, to_patient=target
    ).order_by("-created_at")
    since = rows.filter(exam__isnull=True).values_list("created_at", flat=True).first()
    if since is None:
        return []
    moved_since = Correction.objects.filter(kind=Correction.Kind.EXAM_MOVED, created_at__gte=since, exam__isnull=False)
    exams = Exam.objects.select_for_update(of=("self",)).filter(
        patient=target, pk__in=rows.filter(created_at__gte=since).values("exam")
    )
    return list(exams.exclude(pk__in=moved_since.values("exam")).order_by("pk"))


def _move(exam: Exam, correction: Correction) -> None:
    exam.patient = correction.to_patient  # type: ignore[assignment]  # both corrections have it
    exam.save(update_fields=["patient"])
    correction.save(force_insert=True)


def _record(verb: AuditEvent.Verb, source: Patient, target: Patient, n_exams: int, by: User) -> None:
    data: dict[str, str | float | bool | None] = {"other_patient": str(target.pk), "n_exams": n_exams}
    record_event(verb=verb, subject=source, site=source.site, data=data, by=by)


def _keep_refusals(source: Patient, target: Patient) -> None:
    """The person has refused messages, in one of the records: no message is sent by that channel."""
    for field in ("email_consent", "sms_consent"):
        if getattr(source, field) == MessageConsent.REFUSED:
            setattr(target, field, MessageConsent.REFUSED.value)
    target.save(update_fields=["email_consent", "sms_consent"])
