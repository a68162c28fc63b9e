"""The path from each model to the site of its records."""

from operator import attrgetter

from django.db.models import Model

from screening.models import (
    AuditEvent,
    Booking,
    ContactAttempt,
    Correction,
    DataImport,
    Document,
    Exam,
    ExamLock,
    EyeFinding,
    FirstReading,
    FundusImage,
    Grading,
    Invitation,
    LesionMark,
    LetterBatch,
    Letterhead,
    Membership,
    Message,
    MessageBatch,
    MessageTemplate,
    Patient,
    PatientSearchTerm,
    PhotoUpload,
    Reading,
    ReadingDraft,
    ReadingEye,
    Referral,
    ReferralEvent,
    ReferralFeedback,
    RegisterEntry,
    Repeat,
    Review,
    ShadowGrading,
    Site,
    SiteOutcomeTable,
    SiteProtocol,
    SiteSettingsVersion,
    SiteShadow,
    SiteThreshold,
    StaffChange,
    TeachingCase,
    TeachingCertificate,
    TeachingReading,
    TeachingSet,
    VisitFacts,
    VisualAcuity,
)

SITE_PATHS: dict[type[Model], str] = {
    Site: "pk",
    Membership: "site",
    Invitation: "site",
    StaffChange: "site",
    Patient: "site",
    PatientSearchTerm: "patient__site",
    RegisterEntry: "patient__site",
    ContactAttempt: "patient__site",
    Message: "site",
    MessageBatch: "site",
    MessageTemplate: "site",
    Exam: "site",
    FundusImage: "exam__site",
    Grading: "image__exam__site",
    Review: "exam__site",
    EyeFinding: "review__exam__site",
    FirstReading: "exam__site",
    LesionMark: "image__exam__site",
    Reading: "exam__site",
    ReadingDraft: "exam__site",
    ReadingEye: "reading__exam__site",
    Repeat: "exam__site",
    PhotoUpload: "exam__site",
    VisitFacts: "exam__site",
    ExamLock: "exam__site",
    AuditEvent: "site",
    Booking: "site",
    Correction: "site",
    DataImport: "site",
    Document: "site",
    Letterhead: "site",
    LetterBatch: "site",
    Referral: "site",
    ReferralEvent: "referral__site",
    ReferralFeedback: "referral__site",
    SiteOutcomeTable: "site",
    SiteProtocol: "site",
    SiteSettingsVersion: "site",
    SiteShadow: "site",
    ShadowGrading: "image__exam__site",
    SiteThreshold: "site",
    VisualAcuity: "exam__site",
    TeachingSet: "site",
    TeachingCase: "teaching_set__site",
    TeachingReading: "case__teaching_set__site",
    TeachingCertificate: "teaching_set__site",
}


TEACHING_MODELS = (TeachingSet, TeachingCase, TeachingReading, TeachingCertificate)
MODELS_WITHOUT_PEOPLE = {
    Site,
    Membership,
    Invitation,
    StaffChange,
    AuditEvent,
    SiteOutcomeTable,
    SiteSettingsVersion,
    SiteShadow,
    SiteThreshold,
    *TEACHING_MODELS,
}
"""Records of a site that say nothing of a person."""


def site_of(record: Model) -> Site:
    """The site of a record. Raises KeyError for a model without a site."""
    if isinstance(record, Site):
        return record
    site: Site = attrgetter(SITE_PATHS[type(record)].replace("__", "."))(record)
    return site
