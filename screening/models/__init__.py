"""Tables, one noun a file."""

from screening.models.activations import BundleActivation
from screening.models.acuities import VisualAcuity
from screening.models.api_keys import ApiKey
from screening.models.arbitration_drafts import ArbitrationDraft
from screening.models.audit import AuditEvent
from screening.models.bookings import Booking
from screening.models.bundles import RegisteredBundle, ShadowGrading, SiteShadow
from screening.models.contacts import ContactAttempt
from screening.models.corrections import Correction
from screening.models.daily_counts import CountedDay, CountRun, DailyCount
from screening.models.documents import Document, Letterhead
from screening.models.drafts import ReadingDraft
from screening.models.drift_checks import DriftCheck
from screening.models.exam_locks import ExamLock
from screening.models.exams import Exam
from screening.models.gradings import Grading
from screening.models.heatmaps import Heatmap
from screening.models.idempotency_keys import IdempotencyKey
from screening.models.images import FundusImage
from screening.models.imports import DataImport, StagedBooking, StagedPerson, StagedTerm
from screening.models.letter_batches import BatchLetter, LetterBatch
from screening.models.marks import LesionMark
from screening.models.messages import Message, MessageBatch, MessageEvent, MessageTemplate
from screening.models.outcome_tables import SiteOutcomeTable
from screening.models.patients import Patient, PatientSearchTerm
from screening.models.perceptual_hashes import PerceptualHash, PerceptualHashBand
from screening.models.programmes import Programme, ProgrammeMembership
from screening.models.protocols import SiteProtocol
from screening.models.reading_layouts import ReadingLayout
from screening.models.readings import Reading, ReadingEye
from screening.models.recall_runs import RecallRun
from screening.models.referrals import LateReferralRun, Referral, ReferralEvent, ReferralFeedback
from screening.models.register import RegisterEntry
from screening.models.regradings import RegradedImage, Regrading
from screening.models.repeats import Repeat
from screening.models.reviews import EyeFinding, FirstReading, Review
from screening.models.site_settings import SiteSettingsVersion
from screening.models.sites import Membership, Site
from screening.models.staff import Invitation, StaffChange
from screening.models.teaching import TeachingCase, TeachingCertificate, TeachingReading, TeachingSet
from screening.models.thresholds import SiteThreshold
from screening.models.uploads import PhotoUpload
from screening.models.users import User
from screening.models.visit_facts import VisitFacts
from screening.models.worklist_layouts import WorklistLayout

__all__ = (
    "ApiKey",
    "ArbitrationDraft",
    "AuditEvent",
    "BatchLetter",
    "Booking",
    "BundleActivation",
    "ContactAttempt",
    "Correction",
    "CountRun",
    "CountedDay",
    "DailyCount",
    "DataImport",
    "Document",
    "DriftCheck",
    "Exam",
    "ExamLock",
    "EyeFinding",
    "FirstReading",
    "FundusImage",
    "Grading",
    "Heatmap",
    "IdempotencyKey",
    "Invitation",
    "LateReferralRun",
    "LesionMark",
    "LetterBatch",
    "Letterhead",
    "Membership",
    "Message",
    "MessageBatch",
    "MessageEvent",
    "MessageTemplate",
    "Patient",
    "PatientSearchTerm",
    "PerceptualHash",
    "PerceptualHashBand",
    "PhotoUpload",
    "Programme",
    "ProgrammeMembership",
    "Reading",
    "ReadingDraft",
    "ReadingEye",
    "ReadingLayout",
    "RecallRun",
    "Referral",
    "ReferralEvent",
    "ReferralFeedback",
    "RegisterEntry",
    "RegisteredBundle",
    "RegradedImage",
    "Regrading",
    "Repeat",
    "Review",
    "ShadowGrading",
    "Site",
    "SiteOutcomeTable",
    "SiteProtocol",
    "SiteSettingsVersion",
    "SiteShadow",
    "SiteThreshold",
    "StaffChange",
    "StagedBooking",
    "StagedPerson",
    "StagedTerm",
    "TeachingCase",
    "TeachingCertificate",
    "TeachingReading",
    "TeachingSet",
    "User",
    "VisitFacts",
    "VisualAcuity",
    "WorklistLayout",
)
