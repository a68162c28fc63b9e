"""Tables, one noun a file."""

from screening.models.acuities import VisualAcuity
from screening.models.api_keys import ApiKey
from screening.models.audit import AuditEvent
from screening.models.corrections import Correction
from screening.models.drafts import ReadingDraft
from screening.models.exams import Exam
from screening.models.gradings import Grading
from screening.models.idempotency_keys import IdempotencyKey
from screening.models.images import FundusImage
from screening.models.patients import Patient, PatientSearchTerm
from screening.models.perceptual_hashes import PerceptualHash, PerceptualHashBand
from screening.models.reading_layouts import ReadingLayout
from screening.models.reviews import EyeFinding, FirstReading, Review
from screening.models.sites import Membership, Site
from screening.models.thresholds import SiteThreshold
from screening.models.uploads import PhotoUpload
from screening.models.users import User
from screening.models.visit_facts import VisitFacts

__all__ = (
    "ApiKey",
    "AuditEvent",
    "Correction",
    "Exam",
    "EyeFinding",
    "FirstReading",
    "FundusImage",
    "Grading",
    "IdempotencyKey",
    "Membership",
    "Patient",
    "PatientSearchTerm",
    "PerceptualHash",
    "PerceptualHashBand",
    "PhotoUpload",
    "ReadingDraft",
    "ReadingLayout",
    "Review",
    "Site",
    "SiteThreshold",
    "User",
    "VisitFacts",
    "VisualAcuity",
)
