"""DiagnosticReport: one for each exam, from its opening to its signed result."""

from urllib.parse import urljoin

from django.urls import reverse
from django.utils.translation import get_language

from screening.api.serializers.gradings import disclaimer
from screening.fhir.codes import Json, own_concept
from screening.fhir.observations import observation_resources
from screening.labels.observations import REPORT
from screening.labels.reviews import OUTCOME_LABELS, URGENCY_LABELS
from screening.models import Document, Review
from screening.policy import Outcome, Urgency
from screening.selectors.exam_results import ExamResult

_CATEGORY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "OTH"}]}


def report_resource(result: ExamResult, *, base: str) -> Json:
    """The report; ``base`` is the address of the interface, with a slash. The REST API beside it has the PDF."""
    exam, review = result.exam, result.review
    resource: Json = {
        "resourceType": "DiagnosticReport",
        "id": str(exam.pk),
        "meta": {"lastUpdated": result.changed_at.isoformat()},
        "language": get_language(),
        "status": result.status,
        "category": [_CATEGORY],
        "code": own_concept("diabetic-eye-screening", str(REPORT)),
        "subject": {"reference": f"Patient/{exam.patient_id}"},
        "effectiveDateTime": result.photographed_on.isoformat(),
        "imagingStudy": [{"reference": f"ImagingStudy/{exam.pk}"}],
    }
    observations = observation_resources(result)
    if observations:
        resource["result"] = [{"reference": f"Observation/{one['id']}"} for one in observations]
    if review is not None:
        resource |= _signed(review)
    if result.report is not None:
        resource["presentedForm"] = [_pdf(result.report, base)]
    return resource


def _signed(review: Review) -> Json:
    outcome, urgency = Outcome(review.outcome), Urgency(review.urgency)
    texts = [f"{OUTCOME_LABELS[outcome]}. {URGENCY_LABELS[urgency]}.", review.note, disclaimer()]
    return {
        "issued": review.signed_at.isoformat(),
        "performer": [{"display": str(review.reviewer)}],
        "resultsInterpreter": [{"display": str(review.reviewer)}],
        "conclusion": "\n".join(filter(None, texts)),
        "conclusionCode": [own_concept(outcome.value, str(OUTCOME_LABELS[outcome]))],
    }


def _pdf(document: Document, base: str) -> Json:
    return {
        "contentType": "application/pdf",
        "language": document.language,
        "url": urljoin(base, reverse("api:document-file", args=[document.pk])),
        "size": document.n_bytes,
        "creation": document.created_at.isoformat(),
    }
