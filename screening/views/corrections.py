"""Corrections: moving an exam or a photograph to another patient, merging records, results entered in error.

A move or a merge has two steps: the number of the other patient and the reason, then a page that shows both patients.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, require
from screening.folding import are_same_names, clean_number
from screening.forms import CorrectionReasonForm, OtherPatientForm
from screening.models import AuditEvent, Patient
from screening.selectors import find_patients, get_exam, get_image, get_patient
from screening.services.audit import record_event
from screening.services.corrections import mark_in_error, move_exam, move_image
from screening.services.exams import ExamError
from screening.services.merges import merge_patients, unmerge_patients
from screening.views.decorators import AuthenticatedRequest, login_required

FORM, CONFIRM, REASON = (f"screening/corrections/{name}.html" for name in ("form", "confirm", "reason"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def exam_move(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Move an exam to another patient."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    require(request.user, Action.CORRECT_RECORD, exam.site)
    texts = {
        "title": _("Move this exam to another patient"),
        "effect": _("All its photographs go with it. If it is signed, the result does not count: it is read again."),
        "button": _("Move the exam to this patient"),
        "success": _("The exam is moved. It is in the history of both patients."),
    }
    return _with_other_patient(
        request,
        exam.patient,
        texts,
        ("screening:exam-detail", exam_id),
        lambda target, reason: move_exam(exam=exam, to_patient=target, reason=reason, by=request.user),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def image_move_patient(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """Move a photograph to another patient."""
    image = get_image(user=request.user, image_id=image_id)
    require(request.user, Action.CORRECT_RECORD, image.exam.site)
    texts = {
        "title": _("Move this photograph to another patient"),
        "effect": _(
            "It goes into the open exam of that patient, or into a new one. The exam that it leaves is read again; "
            "what was signed there does not count any more."
        ),
        "button": _("Move the photograph to this patient"),
        "success": _("The photograph is moved. It is in the history of both patients."),
    }
    return _with_other_patient(
        request,
        image.exam.patient,
        texts | {"image": image},
        ("screening:exam-detail", image.exam_id),
        lambda target, reason: move_image(image=image, to_patient=target, reason=reason, by=request.user),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_merge(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """Merge a record into another record of the same person."""
    patient = get_patient(user=request.user, patient_id=patient_id)
    require(request.user, Action.CORRECT_RECORD, patient.site)
    texts = {
        "title": _("Merge this record into another one"),
        "effect": _(
            "Only for two records of one person. All exams of this record, with their results, belong to the other "
            "record then, and this record leaves the lists. The two can be parted again."
        ),
        "button": _("Merge into this record"),
        "is_of_one_person": True,
        "success": _("The records are merged."),
    }
    return _with_other_patient(
        request,
        patient,
        texts,
        ("screening:patient-detail", patient_id),
        lambda target, reason: merge_patients(patient=patient, into=target, reason=reason, by=request.user),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_unmerge(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """Part a merged record from the other one."""
    patient = get_patient(user=request.user, patient_id=patient_id)
    require(request.user, Action.CORRECT_RECORD, patient.site)
    texts = {
        "title": _("Part these records again"),
        "effect": _(
            "This record has the exams again that it had before. Exams that were opened since then stay with the other "
            "record."
        ),
        "button": _("Part the records"),
        "success": _("The records are parted."),
    }
    return _with_reason(
        request,
        patient,
        texts,
        ("screening:patient-detail", patient_id),
        lambda reason: unmerge_patients(patient=patient, reason=reason, by=request.user),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def exam_in_error(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Mark the signed result of an exam as entered in error."""
    detail = get_exam(user=request.user, exam_id=exam_id)
    exam, review = detail.exam, detail.review
    require(request.user, Action.CORRECT_RECORD, exam.site)
    if review is None:
        messages.error(request, _("This exam has no result that counts."))
        return redirect("screening:exam-detail", exam_id)
    texts: dict[str, Any] = {
        "title": _("Mark the result as entered in error"),
        "effect": _(
            "The result is kept, struck through, and does not count any more. The exam waits for a reviewer again: "
            "cancel it if its photographs are wrong too."
        ),
        "button": _("Mark as entered in error"),
        "success": _("The result does not count any more. The exam is on the reviewer's worklist."),
        "review": review,
        "exam": exam,
    }
    return _with_reason(
        request,
        exam.patient,
        texts,
        ("screening:exam-detail", exam_id),
        lambda reason: mark_in_error(review=review, reason=reason, by=request.user),
    )


def _with_reason(
    request: AuthenticatedRequest,
    patient: Patient,
    texts: dict[str, Any],
    back: tuple[str, UUID],
    act: Callable[[str], object],
) -> HttpResponseBase:
    """One page that says what will happen and requires a reason."""
    form = CorrectionReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        review = texts.get("review")
        try:
            if review is not None and form.cleaned_data["review"] != str(review.pk):
                form.add_error(None, _("The result was amended meanwhile. Check the result that is shown now."))
            else:
                act(form.cleaned_data["reason"])
        except ExamError as error:
            form.add_error(None, str(error))
        if not form.errors:
            messages.success(request, texts["success"])
            return redirect(*back)
    return _page(request, REASON, patient, texts, back, form)


def _with_other_patient(
    request: AuthenticatedRequest,
    patient: Patient,
    texts: dict[str, Any],
    back: tuple[str, UUID],
    act: Callable[[Patient, str], object],
) -> HttpResponseBase:
    """The number of the other patient and the reason, then a page that shows both patients."""
    form = OtherPatientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        target = _find(request, patient, form.cleaned_data["mrn"])
        if target is None:
            form.add_error("mrn", _("No patient at this site has this number. Check it."))
        elif form.cleaned_data["confirm"] != str(target.pk):
            record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=target, site=target.site, by=request.user)
            texts |= {"target": target, "target_age": _age(target), "differences": _differences(patient, target)}
            return _page(request, CONFIRM, patient, texts, back, form)
        else:
            try:
                act(target, form.cleaned_data["reason"])
            except ExamError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, texts["success"])
                return redirect(*back)
    return _page(request, FORM, patient, texts, back, form)


def _differences(patient: Patient, other: Patient) -> list[str]:
    """The facts in which two records cannot be of one person; a fact that is not known differs from none."""
    unknown = Patient.Sex.UNKNOWN
    names = [(one.given_name, one.family_name) for one in (patient, other)]
    facts = (
        (_("name"), not are_same_names(*names)),
        (_("birth date"), not patient.birth.could_be(other.birth)),
        (_("sex"), unknown not in {patient.sex, other.sex} and patient.sex != other.sex),
    )
    return [label for label, is_different in facts if is_different]


def _find(request: AuthenticatedRequest, patient: Patient, mrn: str) -> Patient | None:
    """The patient with exactly this number at the same site. NB: the number is posted, never part of an address."""
    return find_patients(user=request.user, mrn=clean_number(mrn)).filter(site=patient.site).first()


def _page(
    request: AuthenticatedRequest,
    template: str,
    patient: Patient,
    texts: dict[str, Any],
    back: tuple[str, UUID],
    form: CorrectionReasonForm,
) -> HttpResponseBase:
    record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    context = {"section": "patients", "patient": patient, "age": _age(patient), "form": form}
    context |= texts | {"back_name": back[0], "back_id": back[1]}
    return render(request, template, context, status=422 if form.errors else 200)


def _age(patient: Patient) -> str:
    return patient.age_text_on(timezone.localdate(timezone=patient.site.zone))
