"""Certificates of readers: the agreement with a teaching set, and a check sum that shows a later change."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import AuditEvent, TeachingCase, TeachingCertificate, TeachingReading, TeachingSet, User
from screening.policy import MacularOedema
from screening.policy.agreement import Agreement, ComparedEye, EyeGrade, compute_agreement
from screening.selectors.teaching import cases_to_read
from screening.services.audit import record_event
from screening.services.teaching import TeachingError


@transaction.atomic
def issue_certificate(*, teaching_set: TeachingSet, by: User) -> TeachingCertificate:
    """The certificate of ``by`` for the present version; a second call returns the first one.

    Raises AccessDenied, TeachingError if an exam is not read yet.
    """
    locked = TeachingSet.objects.select_for_update().select_related("site").get(pk=teaching_set.pk)
    require(by, Action.READ_TEACHING_SET, locked.site)
    known = TeachingCertificate.objects.filter(teaching_set=locked, version=locked.version, reader=by).first()
    if known is not None:
        return known
    cases = list(cases_to_read(locked, by))
    readings = list(TeachingReading.objects.filter(case__in=cases, reader=by).select_related("case"))
    if not cases or {one.case_id for one in readings} != {case.pk for case in cases}:
        raise TeachingError(_("Read all exams of the set first."))
    metrics = {**_metrics_of(compute_agreement(_compared(one) for one in readings)), "name": locked.name}
    metrics["cases"] = sorted(str(case.pk) for case in cases)
    values = {"teaching_set": locked, "version": locked.version, "reader": by, "n_cases": len(cases)}
    certificate = TeachingCertificate(**values, metrics=metrics)
    certificate.digest = digest_of(certificate, readings)
    certificate.save(force_insert=True)
    record_event(verb=AuditEvent.Verb.CERTIFICATE_ISSUED, subject=certificate, site=locked.site, by=by)
    return certificate


def is_unchanged(certificate: TeachingCertificate) -> bool:
    """Whether the certificate and the readings that it follows from are those of the day of issue."""
    cases = certificate.metrics.get("cases", [])
    readings = TeachingReading.objects.filter(case__in=cases, reader=certificate.reader_id).select_related("case")
    return digest_of(certificate, list(readings)) == certificate.digest


def digest_of(certificate: TeachingCertificate, readings: list[TeachingReading]) -> str:
    """SHA-256 of set, version, reader, figures, signed findings and readings."""
    rows = sorted(
        [str(one.case_id), one.laterality, one.grade, one.macular_oedema, one.case.truth[one.laterality]]
        for one in readings
    )
    values: Any = {
        "set": str(certificate.teaching_set_id),
        "version": certificate.version,
        "reader": str(certificate.reader_id),
        "n_cases": certificate.n_cases,
        "metrics": certificate.metrics,
        "readings": rows,
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _compared(reading: TeachingReading) -> ComparedEye:
    case: TeachingCase = reading.case
    signed = case.truth[reading.laterality]
    return ComparedEye(
        group=str(case.pk),
        signed=EyeGrade(signed["grade"], MacularOedema(signed["macular_oedema"])),
        found=EyeGrade(reading.grade, MacularOedema(reading.macular_oedema)),
    )


def _metrics_of(agreement: Agreement) -> dict[str, Any]:
    """The figures as the column holds them, rounded to four decimal places."""
    interval = agreement.kappa_interval
    return {
        "n_eyes": agreement.n_eyes,
        "n_graded": agreement.n_graded,
        "n_ungradable": agreement.n_ungradable,
        "kappa": None if agreement.kappa is None else round(agreement.kappa, 4),
        "kappa_interval": None if interval is None else [round(limit, 4) for limit in interval],
        "sensitivity": [agreement.sensitivity.n_positive, agreement.sensitivity.n],
        "specificity": [agreement.specificity.n_positive, agreement.specificity.n],
    }
