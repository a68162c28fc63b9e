"""Facts of a visit: recording them."""

import datetime
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import hba1c
from screening.access import Action, require
from screening.labels.visit_facts import UNIT_LABELS
from screening.models import AuditEvent, Exam, User, VisitFacts
from screening.models.visit_facts import EYE_TREATMENTS
from screening.policy.acuity import Correction
from screening.policy.exam_states import FINISHED
from screening.services.acuities import record_acuity
from screening.services.audit import record_event
from screening.services.exams import ExamError, ExamNotOpen, lock_exam
from screening.stored_values import require_unchanged

HBA1C_UNUSUAL = "hba1c_unusual"
HBA1C_FIELDS = ("hba1c", "hba1c_unit", "hba1c_on")
_FIELDS = (*HBA1C_FIELDS, "treatment", "is_pregnant", "right_eye_treatments", "left_eye_treatments", "consent")


class InvalidFact(ExamError):
    """A fact that cannot be true. ``field`` is its column."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class UnusualHbA1c(InvalidFact):
    """A value of HbA1c that is possible and unlikely: it is stored after a confirmation, HBA1C_UNUSUAL."""


@transaction.atomic
def record_visit(
    *,
    exam: Exam,
    facts: Mapping[str, Any],
    acuities: Mapping[Laterality, tuple[str, str]],
    base: Mapping[str, Any] | None = None,
    confirmed: Collection[str] = (),
    by: User,
) -> None:
    """``record_visit_facts``, and the visual acuity of eyes as (text, correction); an empty text is left out.

    Nothing is stored if one of them is refused. Raises InvalidFact for an acuity too, with the field ``OD_acuity`` or
    ``OS_acuity``.
    """
    record_visit_facts(exam=exam, facts=facts, base=base, confirmed=confirmed, by=by)
    for eye, (entered, correction) in acuities.items():
        if not entered.strip():
            continue
        try:
            chosen = Correction(correction) if correction else None
            record_acuity(exam=exam, laterality=eye, entered=entered, correction=chosen, by=by)
        except ExamError as error:
            raise InvalidFact(f"{eye}_acuity", str(error)) from None


@transaction.atomic
def record_visit_facts(
    *,
    exam: Exam,
    facts: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    confirmed: Collection[str] = (),
    by: User,
) -> VisitFacts:
    """Record facts of an exam that is not signed yet: columns of VisitFacts; those that are not named stay.

    ``hba1c``, ``hba1c_unit`` and ``hba1c_on`` belong together. ``base``: the facts when the user saw them; others may
    have changed them. Raises ValuesChanged, InvalidFact, UnusualHbA1c unless confirmed, ExamNotOpen, AccessDenied;
    KeyError for another column.
    """
    locked = lock_exam(exam)
    require(by, Action.UPLOAD_IMAGE, locked.site)
    if locked.status in FINISHED:
        raise ExamNotOpen
    row = VisitFacts.objects.select_for_update().filter(exam=locked).first() or VisitFacts(exam=locked)
    if not facts:
        return row
    require_unchanged(facts, base=base or {}, stored=stored_facts(row))
    for name, value in facts.items():
        if name not in _FIELDS:
            raise KeyError(name)
        setattr(row, name, value)
    if not set(HBA1C_FIELDS).isdisjoint(facts):
        is_dated = facts.get("hba1c_on") is not None
        _convert_hba1c(row, locked, is_dated=is_dated, is_confirmed=HBA1C_UNUSUAL in confirmed)
    _require_known(row)
    row.recorded_by = by
    row.save()
    data = {"fields": ",".join(sorted(facts))}
    record_event(verb=AuditEvent.Verb.FACTS_RECORDED, subject=locked, site=locked.site, data=data, by=by)
    return row


def stored_facts(facts: VisitFacts | None) -> dict[str, Any]:
    """What is recorded, as ``record_visit_facts`` takes it. Without an HbA1c its unit is per cent."""
    row = facts or VisitFacts()
    return {name: getattr(row, name) for name in _FIELDS} | {"hba1c_unit": row.hba1c_unit or hba1c.Unit.PERCENT.value}


def _convert_hba1c(row: VisitFacts, exam: Exam, *, is_dated: bool, is_confirmed: bool) -> None:
    if row.hba1c is None and is_dated:
        raise InvalidFact("hba1c", _("Enter the HbA1c that was measured on this day, or leave out the day."))
    if row.hba1c is None:
        row.hba1c_unit, row.hba1c_mmol_mol, row.hba1c_on = "", None, None
        return
    unit = hba1c.Unit(row.hba1c_unit or hba1c.Unit.PERCENT)
    row.hba1c_unit = unit.value
    _require_measurable(row.hba1c, unit, is_confirmed)
    row.hba1c_mmol_mol = hba1c.mmol_mol_of(row.hba1c, unit)
    today: datetime.date = timezone.localdate(timezone=exam.site.zone)
    if row.hba1c_on is not None and row.hba1c_on > today:
        raise InvalidFact("hba1c_on", _("The date of the HbA1c is in the future. Enter the right date."))


def _require_measurable(value: Decimal, unit: hba1c.Unit, is_confirmed: bool) -> None:
    other = hba1c.Unit.MMOL_MOL if unit is hba1c.Unit.PERCENT else hba1c.Unit.PERCENT
    names = {"value": value, "unit": UNIT_LABELS[unit], "other": UNIT_LABELS[other]}
    if not hba1c.is_possible(value, unit):
        if hba1c.is_possible(value, other):
            raise InvalidFact("hba1c", _("An HbA1c of %(value)s %(unit)s is not possible. Choose %(other)s.") % names)
        raise InvalidFact("hba1c", _("An HbA1c of %(value)s %(unit)s is not possible. Check the value.") % names)
    if not is_confirmed and not hba1c.is_usual(value, unit):
        message = _("An HbA1c of %(value)s %(unit)s is unusual. Check value and unit, or confirm that it is right.")
        raise UnusualHbA1c("hba1c", message % names)


def _require_known(row: VisitFacts) -> None:
    if row.treatment not in {"", *VisitFacts.Treatment.values}:
        raise InvalidFact("treatment", _("Choose one of the treatments."))
    if row.consent not in {"", *VisitFacts.Consent.values}:
        raise InvalidFact("consent", _("Choose whether consent is given or refused."))
    known = {code for code, _label in EYE_TREATMENTS}
    for field in ("right_eye_treatments", "left_eye_treatments"):
        treatments = getattr(row, field)
        if treatments is not None and not set(treatments) <= known:
            raise InvalidFact(field, _("Choose among laser, injections and surgery."))
