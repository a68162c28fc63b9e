"""Observation: what was found in each eye, and the outcome.

Until the result is signed they hold what the model found, and are preliminary. The signed findings have the same ids.
"""

from collections.abc import Collection, Iterator
from operator import attrgetter
from uuid import UUID

from django.utils.translation import get_language

from ml.vocabulary import ICDRGrade, Laterality
from screening.fhir.codes import GRADES, IMAGING, SEVERITY, UNITS, Json, absent, loinc_concept, own_concept
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import GRADE_LABELS
from screening.labels.observations import (
    ABSENT,
    METHOD,
    NOT_GRADABLE,
    NOT_PHOTOGRAPHED,
    OBSERVATION_LABELS,
    RETRACTED,
)
from screening.labels.observations import ObservationKind as Kind
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, OUTCOME_LABELS, URGENCY_LABELS
from screening.models import EyeFinding, Grading
from screening.policy import MacularOedema, Outcome, Urgency
from screening.selectors.exam_results import ExamResult

MAX_OF_EXAM = sum(len(Laterality) if kind.is_of_an_eye else 1 for kind in Kind)
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
    """Whether the observation has one of these codes, each alone or as system, bar and code; True for None."""
    codes = [(one["system"], one["code"]) for one in observation["code"]["coding"]]
    return wanted is None or any(code in wanted or f"{system}|{code}" in wanted for system, code in codes)


def _values(result: ExamResult) -> Iterator[tuple[Kind, Laterality | None, Json]]:
    if result.status == "entered-in-error":
        yield from _retracted()
        return
    findings = {} if result.review is None else {one.laterality: one for one in result.review.findings.all()}
    for eye in Laterality:
        gradings = result.gradings_of(eye)
        if eye in findings:
            yield from ((kind, eye, value) for kind, value in _signed(findings[eye]))
        elif result.review is None and (decisive := _decisive(gradings)):
            yield from ((kind, eye, value) for kind, value in _graded(decisive))
        yield from ((kind, eye, value) for kind, value in _probabilities(gradings))
    if result.review is not None:
        outcome, urgency = Outcome(result.review.outcome), Urgency(result.review.urgency)
        text = f"{OUTCOME_LABELS[outcome]}. {URGENCY_LABELS[urgency]}"
        yield Kind.OUTCOME, None, {"valueCodeableConcept": own_concept(outcome.value, text)}
        if result.review.recall_on is not None:
            yield Kind.RECALL, None, {"valueDateTime": result.review.recall_on.isoformat()}


def _retracted() -> Iterator[tuple[Kind, Laterality | None, Json]]:
    """All that there may have been, without values: nothing that was signed counts any more."""
    value = {"dataAbsentReason": absent("error", str(RETRACTED))}
    for kind in Kind:
        eyes: list[Laterality | None] = [*Laterality] if kind.is_of_an_eye else [None]
        yield from ((kind, eye, value) for eye in eyes)


def _signed(finding: EyeFinding) -> Iterator[tuple[Kind, Json]]:
    yield Kind.SEVERITY, _severity(finding)
    if finding.is_photographed and not finding.is_absent:
        yield Kind.GRADABILITY, {"valueBoolean": finding.is_gradable}
    if not finding.is_absent:
        oedema = MacularOedema(finding.macular_oedema)
        text = str(MACULAR_OEDEMA_LABELS[oedema])
        is_known = oedema is not MacularOedema.UNKNOWN
        known = {"valueCodeableConcept": own_concept(f"macular-oedema-{oedema.value}", text)}
        yield Kind.MACULAR_OEDEMA, known if is_known else {"dataAbsentReason": absent("unknown", text)}


def _severity(finding: EyeFinding) -> Json:
    """The grade, never one of an eye that could not be graded. In the scale of a site its grade is the text too."""
    if finding.grade is None:
        return {"dataAbsentReason": _reason(finding)}
    texts = [str(GRADE_LABELS[finding.grade]), finding.grades_in_scale]
    return {"valueCodeableConcept": _grade(finding.grade, ", ".join(filter(None, texts)))}


def _reason(finding: EyeFinding) -> Json:
    if finding.is_absent:
        return absent("not-applicable", str(ABSENT))
    if not finding.is_photographed:
        return absent("not-performed", str(NOT_PHOTOGRAPHED))
    return absent("unknown", str(NOT_GRADABLE))


def _graded(grading: Grading) -> Iterator[tuple[Kind, Json]]:
    model = _by_model(grading)
    if grading.grade is None:
        yield Kind.SEVERITY, {"dataAbsentReason": absent("unknown", str(NOT_GRADABLE)), **model}
    else:
        value = _grade(grading.grade, str(GRADE_LABELS[grading.grade]))
        yield Kind.SEVERITY, {"valueCodeableConcept": value, **model}
    yield Kind.GRADABILITY, {"valueBoolean": grading.is_gradable, **model}


def _probabilities(gradings: list[Grading]) -> Iterator[tuple[Kind, Json]]:
    """The largest ones of the photographs of an eye; none of those that are not gradable."""
    for kind, field in ((Kind.P_REFERABLE, "p_referable"), (Kind.P_MACULAR_OEDEMA, "p_macular_oedema")):
        known = [one for one in gradings if getattr(one, field) is not None]
        if known:
            largest = max(known, key=attrgetter(field))
            quantity = {"value": getattr(largest, field), "unit": "1", "system": UNITS, "code": "1"}
            yield kind, {"valueQuantity": quantity, **_by_model(largest)}


def _decisive(gradings: list[Grading]) -> Grading | None:
    """That of the gradable photograph with the largest P(referable), else the last one; None without gradings."""
    gradable = [one for one in gradings if one.p_referable is not None]
    return max(gradable, key=attrgetter("p_referable")) if gradable else next(reversed(gradings), None)


def _by_model(grading: Grading) -> Json:
    """The version of the model that graded, contained in the observation."""
    device = {
        "resourceType": "Device",
        "id": "model",
        "deviceName": [{"name": grading.model_version.partition("+")[0], "type": "model-name"}],
        "version": [{"value": grading.model_version}],
    }
    return {"contained": [device], "device": {"reference": "#model"}}


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
    if review is not None:
        resource["issued"] = review.signed_at.isoformat()
        if "device" not in value:
            resource["performer"] = [{"display": str(review.reviewer)}]
    return resource
