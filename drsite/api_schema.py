"""Title, description, tags and names of enumerations of the OpenAPI schema."""

from typing import Any

API_SCHEMA: dict[str, Any] = {
    "TITLE": "Diabetic retinopathy screening",
    "DESCRIPTION": (
        "Register patients, send photographs of both eyes, read the model's results and the signed reviews.\n\n"
        "**Decision support, reviewed by a clinician. Not a certified medical device. A colour photograph cannot "
        "exclude macular oedema.**\n\n"
        "Every error is `{code, message, fields}`. Lists come in pages, newest first: follow `next` until it is "
        "null. Records of a site where the key's user has no role are not found (404)."
    ),
    "VERSION": "1",
    "LICENSE": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # the schema has no personal data
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,  # an uploaded file differs from a stored one
    "ENUM_NAME_OVERRIDES": {
        "EyeTreatmentEnum": "screening.models.visit_facts.EYE_TREATMENTS",
        "ServedModel": "screening.labels.models.MODEL_CHOICES",
        "Laterality": "screening.labels.eyes.LATERALITY_CHOICES",
        "ExamStatus": "screening.labels.exam_states.EXAM_STATE_CHOICES",
        "GradingStatus": "screening.models.gradings.Grading.Status",
        "WithdrawnCode": "screening.models.images.FundusImage.WithdrawnCode",
        "MacularOedemaEnum": "screening.labels.reviews.MACULAR_OEDEMA_CHOICES",
        "HospitalTreatment": "screening.labels.referrals.TREATMENT_CHOICES",
        "ReferralState": "screening.labels.referrals.STATE_CHOICES",
        "RegisterStatus": "screening.labels.register.STATUS_CHOICES",
        "BookingStatus": "screening.labels.bookings.STATUS_CHOICES",
        "RecallState": "screening.api.serializers.due_list.STATE_CHOICES",
        "NextStep": "screening.labels.recall.STEP_CHOICES",
        "LetterBatchState": "screening.labels.letters.BATCH_STATE_CHOICES",
        "ContactKind": "screening.labels.recall.KIND_CHOICES",
        "MessageConsent": "screening.labels.messages.CONSENT_CHOICES",
    },
    "TAGS": [
        {"name": "Predictions", "description": "One photograph is graded and not stored."},
        {"name": "Patients", "description": "Register patients and find them by number."},
        {"name": "Exams", "description": "Exams and their photographs."},
        {"name": "Results", "description": "Results of the model, and signed reviews."},
        {"name": "System", "description": "The model in use and your sites."},
    ],
}
