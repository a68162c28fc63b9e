"""Observation: what was found in each eye, and the outcome.

What the model found is preliminary, also beside signed findings. These have the same ids as what it found before.
"""

from collections.abc import Collection, Iterator
from operator import attrgetter
from uuid import UUID

from django.utils.translation import get_language

from ml.vocabulary import ICDRGrade, Laterality
from screening.fhir.codes import GRADES, IMAGING, SEVERITY, UNITS, Json, absent, loinc_concept, own_concept
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import GRADE_LABELS
from screening.labels.lesions import lesion_text
from screening.labels.observations import (
    ABSENT,
    METHOD,
    NOT_GRADABLE,
    NOT_PHOTOGRAPHED,
    OBSERVATION_LABELS,
    OTHER_EYE,
    RETRACTED,
)
from screening.labels.observations import ObservationKind as Kind
from screening.labels.oedema import oedema_text
from screening.labels.quality import LIMITATION
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, OUTCOME_LABELS, URGENCY_LABELS
from screening.models import EyeFinding, Grading
from screening.models.gradings import limited_negatives
from screening.policy import MacularOedema, Outcome, Urgency
from screening.policy.lesions import Lesion
from screening.selectors.exam_results import ExamResult

_ALL: list[tuple[Kind, Laterality | None]] = [
    (kind, eye) for kind in Kind for eye in ([*Laterality] if kind.is_of_an_eye else [None])
]
MAX_OF_EXAM = len(_ALL)
"""Observations of one exam, if it has all of them."""


def observation_resources(result: ExamResult) -> list[Json]:
    """All observations of an exam: those of the right eye, of the left eye, and the outcome."""
    return [_observation(result, kind, eye, value) for kind, eye, value in _values(result)]


def exam_of_observation(observation_id: str) -> UUID | None:
    """The exam that the id of an observation begins with; None if it is no such id."""
    try:
        return UUID(observation_id[:36])
    except ValueError:
        return None


def has_code(observation: Json, wanted: Collection[str] | None) -> bool:
    """Whether the observation has one of these codes, each alone, as system, bar and code, or as all of a system and
    bar; True for None.
    """
    codes = [(one["system"], one["code"]) for one in observation["code"]["coding"]]
    names = {name for system, code in codes for name in (code, f"{system}|{code}", f"{system}|")}
    return wanted is None or not names.isdisjoint(wanted)


def _values(result: ExamResult) -> Iterator[tuple[Kind, Laterality | None, Json]]:
    """NB: what a system has stored stays there unless its id says that it does not count: a signed result that is
    replaced has no observation less than before.
    """
    found = [] if result.status == "entered-in-error" else list(_found(result))
    yield from found
    if result.status in {"entered-in-error", "amended", "corrected"}:
        value = {"status": "entered-in-error", "dataAbsentReason": absent("error", str(RETRACTED))}
        kept = {(kind, eye) for kind, eye, _value in found}
        yield from ((kind, eye, value) for kind, eye in _ALL if (kind, eye) not in kept)


def _found(result: ExamResult) -> Iterator[tuple[Kind, Laterality | None, Json]]:
    review = result.review
    findings = {} if review is None else {one.laterality: one for one in review.findings.all()}
    for eye in Laterality:
        gradings = result.gradings_of(eye)
        if review is None:
            yield from ((kind, eye, value) for kind, value in _graded(gradings))
        elif eye in findings:
            yield from ((kind, eye, value) for kind, value in _signed(findings[eye], gradings))
    if review is not None:
        outcome, urgency = Outcome(review.outcome), Urgency(review.urgency)
        text = f"{OUTCOME_LABELS[outcome]}. {URGENCY_LABELS[urgency]}"
        yield Kind.OUTCOME, None, {"valueCodeableConcept": own_concept(outcome.value, text)}
        if review.recall_on is not None:
            yield Kind.RECALL, None, {"valueDateTime": review.recall_on.isoformat()}


def _signed(finding: EyeFinding, gradings: list[Grading]) -> Iterator[tuple[Kind, Json]]:
    yield Kind.SEVERITY, _severity(finding)
    if finding.is_absent:
        return
    if finding.is_photographed:
        yield Kind.GRADABILITY, {"valueBoolean": finding.is_gradable}
    yield Kind.MACULAR_OEDEMA, _macular_oedema(finding)
    if finding.is_gradable:
        yield from _probabilities(gradings)


def _severity(finding: EyeFinding) -> Json:
    """The grade, never one of an eye that could not be graded. In the scale of a site its grade is the text too."""
    notes = _notes(*_lesions(finding), finding.other_disease)
    if finding.grade is None:
        return {"dataAbsentReason": _reason(finding), **notes}
    texts = [str(GRADE_LABELS[finding.grade]), finding.grades_in_scale]
    return {"valueCodeableConcept": _grade(finding.grade, ", ".join(filter(None, texts))), **notes}


def _lesions(finding: EyeFinding) -> list[str]:
    """Lesions and other diseases in words."""
    return [lesion_text(lesion, finding.lesions[lesion]) for lesion in Lesion if lesion in finding.lesions]


def _macular_oedema(finding: EyeFinding) -> Json:
    oedema = MacularOedema(finding.macular_oedema)
    text = str(MACULAR_OEDEMA_LABELS[oedema])
    if oedema is MacularOedema.UNKNOWN:
        return {"dataAbsentReason": absent("unknown", text) if finding.is_gradable else _reason(finding)}
    return {"valueCodeableConcept": own_concept(f"macular-oedema-{oedema.value}", text)}


def _reason(finding: EyeFinding) -> Json:
    if finding.is_absent:
        return absent("not-applicable", str(ABSENT))
    if not finding.is_photographed:
        return absent("not-performed", str(NOT_PHOTOGRAPHED))
    return absent("unknown", str(NOT_GRADABLE))


def _graded(gradings: list[Grading]) -> Iterator[tuple[Kind, Json]]:
    """What the model found in an eye; nothing while all of its photographs wait."""
    if all(one.is_pending for one in gradings):
        return
    if (unfinished := _unfinished(gradings, "is_referable")) is not None:
        yield Kind.SEVERITY, {"dataAbsentReason": _unfinished_reason(unfinished), **_by_model(unfinished)}
    else:
        decisive = _decisive(gradings)
        found: Json = {"dataAbsentReason": absent("unknown", str(NOT_GRADABLE))}
        if decisive.grade is not None:
            found = {"valueCodeableConcept": _grade(decisive.grade, str(GRADE_LABELS[decisive.grade]))}
        yield Kind.SEVERITY, {**found, **_by_model(decisive, *_limits(gradings))}
        yield Kind.GRADABILITY, {"valueBoolean": decisive.is_gradable, **_by_model(decisive, *_uncertainty(gradings))}
    yield from _probabilities(gradings)


def _probabilities(gradings: list[Grading]) -> Iterator[tuple[Kind, Json]]:
    """The largest ones of the photographs of an eye; none of those that are not gradable."""
    for kind, field, positive in (
        (Kind.P_REFERABLE, "p_referable", "is_referable"),
        (Kind.P_MACULAR_OEDEMA, "p_macular_oedema", "suspects_oedema"),
    ):
        known = [one for one in gradings if getattr(one, field) is not None]
        if known and _unfinished(gradings, positive) is None:
            largest = max(known, key=attrgetter(field))
            notes = _limits(gradings) if kind is Kind.P_REFERABLE else [oedema_text(largest), *_uncertainty(gradings)]
            quantity = {"value": getattr(largest, field), "unit": "1", "system": UNITS, "code": "1"}
            yield kind, {"valueQuantity": quantity, **_by_model(largest, *notes)}


def _unfinished(gradings: list[Grading], positive: str) -> Grading | None:
    """One without a result, because of which the eye must not look negative; a failed one first.

    None if all have results, or if the field ``positive`` of another one is true.
    """
    if any(getattr(one, positive) for one in gradings):
        return None
    unfinished = [one for one in gradings if one.status != Grading.Status.DONE]
    return min(unfinished, key=attrgetter("is_pending"), default=None)


def _unfinished_reason(grading: Grading) -> Json:
    if grading.is_pending:
        return absent("temp-unknown", grading.get_status_display())
    return absent("error", grading.failure_text)


def _limits(gradings: list[Grading]) -> list[str]:
    """What limits a negative result of an eye, and what makes any result of it uncertain."""
    is_negative = not any(one.is_referable for one in gradings)
    limitation = [str(LIMITATION)] if is_negative and limited_negatives(gradings) else []
    return [*limitation, *_uncertainty(gradings)]


def _uncertainty(gradings: list[Grading]) -> list[str]:
    """What makes each result of an eye uncertain: a photograph that could be of the other eye."""
    return [str(OTHER_EYE)] if any(one.has_laterality_conflict for one in gradings) else []


def _decisive(gradings: list[Grading]) -> Grading:
    """That of the gradable photograph with the largest P(referable), else the last one."""
    gradable = [one for one in gradings if one.p_referable is not None]
    return max(gradable, key=attrgetter("p_referable")) if gradable else gradings[-1]


def _by_model(grading: Grading, *notes: str) -> Json:
    """The version of the model that graded, contained in the observation, which is never a signed one."""
    device = {
        "resourceType": "Device",
        "id": "model",
        "deviceName": [{"name": grading.model_version.partition("+")[0], "type": "model-name"}],
        "version": [{"value": grading.model_version}],
    }
    return {"status": "preliminary", "contained": [device], "device": {"reference": "#model"}, **_notes(*notes)}


def _notes(*texts: str) -> Json:
    return {"note": [{"text": text} for text in texts if text]} if any(texts) else {}


def _grade(grade: int, text: str) -> Json:
    return loinc_concept(GRADES[ICDRGrade(grade)], text)


def _observation(result: ExamResult, kind: Kind, eye: Laterality | None, value: Json) -> Json:
    exam, review = result.exam, result.review
    names = [str(exam.pk), *([eye.value.lower()] if eye else []), kind.value]
    label = OBSERVATION_LABELS[kind]
    text = str(label) if eye is None else f"{EYE_LABELS[eye]}: {label}"
    is_severity = kind is Kind.SEVERITY and eye is not None
    resource: Json = {
        "resourceType": "Observation",
        "id": "-".join(names),
        "meta": {"lastUpdated": result.changed_at.isoformat()},
        "language": get_language(),
        "status": result.status,
        "category": [IMAGING],
        "code": loinc_concept(SEVERITY[eye], text) if is_severity and eye else own_concept(kind.value, text),
        "subject": {"reference": f"Patient/{exam.patient_id}"},
        "effectiveDateTime": result.photographed_on.isoformat(),
        "method": {"text": str(METHOD)},
        "derivedFrom": [{"reference": f"ImagingStudy/{exam.pk}"}],
        **value,
    }
    if eye is not None:
        resource["bodySite"] = own_concept(eye.value, str(EYE_LABELS[eye]))
    if review is not None and "device" not in value:
        resource["issued"] = review.signed_at.isoformat()
        resource["performer"] = [{"display": str(review.reviewer)}]
    return resource
