"""What is done and what is missing before an exam is handed over."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.labels.eyes import EYE_LABELS
from screening.labels.sentences import within_sentence
from screening.labels.visit_facts import REQUIRABLE_FACTS
from screening.models import Exam, VisitFacts
from screening.selectors.visit_facts import missing_facts
from screening.services.exams import FactsMissing, FieldsMissing
from screening.views.eye_cards import EyeCard, Slot


class ItemState(StrEnum):
    """MISSING: the exam cannot be submitted. UNCONFIRMED: it can, after a confirmation. ADVICE and WAITING: it can."""

    DONE = "done"
    MISSING = "missing"
    UNCONFIRMED = "unconfirmed"
    ADVICE = "advice"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist."""

    text: str
    state: ItemState


@dataclass(frozen=True, slots=True)
class Checklist:
    """The lines of both eyes, right before left. ``confirm``: codes of questions that the submission answers."""

    items: tuple[Item, ...]
    confirm: tuple[str, ...] = ()

    @property
    def can_submit(self) -> bool:
        return all(item.state is not ItemState.MISSING for item in self.items)

    @property
    def is_complete(self) -> bool:
        return all(item.state is ItemState.DONE for item in self.items)


def build_checklist(exam: Exam, eyes: tuple[EyeCard, EyeCard]) -> Checklist:
    """The checklist of an exam that is being photographed, loaded with its facts."""
    items = [item for eye in eyes for item in _eye_items(eye)]
    facts: VisitFacts | None = getattr(exam, "visit_facts", None)
    unknown = missing_facts(exam, facts)
    is_field_missing = any(item.state is ItemState.UNCONFIRMED for item in items)
    items += [Item(_("Visit: %(fact)s") % {"fact": REQUIRABLE_FACTS[one]}, ItemState.UNCONFIRMED) for one in unknown]
    if facts is not None and facts.consent == VisitFacts.Consent.REFUSED:
        items.append(Item(_("The patient refused consent: cancel this exam."), ItemState.MISSING))
    n_pending = sum(1 for eye in eyes for photo in eye.photos if photo.grading and photo.grading.is_pending)
    if n_pending:
        text = ngettext("%(n)d photograph is being checked.", "%(n)d photographs are being checked.", n_pending)
        items.append(Item(text % {"n": n_pending}, ItemState.WAITING))
    codes = [(FieldsMissing.CODE, is_field_missing), (FactsMissing.CODE, bool(unknown))]
    return Checklist(tuple(items), tuple(code for code, is_open in codes if is_open))


def _eye_items(eye: EyeCard) -> list[Item]:
    name = EYE_LABELS[eye.laterality]
    excuse = _excuse(eye)
    if excuse:
        return [Item(_("%(eye)s: %(reason)s") % {"eye": name, "reason": excuse}, ItemState.DONE)]
    if not eye.photos:
        text = _("%(eye)s: add a photograph, or record why there is none.")
        return [Item(text % {"eye": name}, ItemState.MISSING)]
    items = [_field_item(slot) for slot in eye.slots if slot.is_required]
    if not items:
        items = [Item(_("%(eye)s: photographed") % {"eye": name}, ItemState.DONE)]
    return items + _advice(eye)


def _excuse(eye: EyeCard) -> str:
    if eye.absent_reason:
        return _("absent")
    if eye.unobtainable_text:
        return _("not obtainable, for slit-lamp examination")
    return _("not photographed") if eye.not_photographed_reason and not eye.photos else ""


def _field_item(slot: Slot) -> Item:
    names = {"eye": EYE_LABELS[slot.laterality], "field": within_sentence(slot.field.label)}
    if slot.is_refused:
        return Item(_("%(eye)s, %(field)s: not gradable") % names, ItemState.ADVICE)
    if slot.n_photos:
        return Item(_("%(eye)s, %(field)s: photographed") % names, ItemState.DONE)
    return Item(_("%(eye)s, %(field)s: missing") % names, ItemState.UNCONFIRMED)


def _advice(eye: EyeCard) -> list[Item]:
    name = {"eye": EYE_LABELS[eye.laterality]}
    texts = []
    if eye.is_retake_needed:
        texts.append(_("%(eye)s: take another photograph while the patient is still here."))
    if eye.is_unobtainable:
        texts.append(_("%(eye)s: record why no photograph can be obtained. Do not take more."))
    if eye.has_laterality_conflict:
        texts.append(_("%(eye)s: a photograph looks like the other eye. Check it."))
    return [Item(text % name, ItemState.ADVICE) for text in texts]
