"""Queries of pages and API, one noun a file. Every selector is restricted to the user's sites."""

from screening.selectors.attempts import count_attempts
from screening.selectors.corrections import MAX_CORRECTIONS, corrections_of_exam, corrections_of_patient
from screening.selectors.drafts import get_draft
from screening.selectors.exams import (
    ExamDetail,
    EyeDetail,
    ImageWithGrading,
    get_case,
    get_exam,
    get_exam_of_case,
    get_exam_record,
    get_exam_to_photograph,
    get_exam_to_read,
    get_grading,
    get_image,
    get_photo,
    get_previous_exam,
    list_exams,
)
from screening.selectors.gradings import get_revealed_grading, list_gradings
from screening.selectors.images import can_see_image, get_image_record, list_images, list_photos_in_use
from screening.selectors.patients import (
    PatientHistory,
    due_on,
    find_patients,
    get_patient,
    get_patient_history,
    list_patients,
    search_patients,
)
from screening.selectors.reading_state import ReadingChange, get_reading_change, has_read
from screening.selectors.reviews import get_review, reviews_in_error
from screening.selectors.worklist import search_worklist, worklist
from screening.selectors.worklist_counts import count_choices, count_worklist
from screening.selectors.worklist_filters import Reading, WorklistFilters, WorklistSort, WorklistState

__all__ = (
    "MAX_CORRECTIONS",
    "ExamDetail",
    "EyeDetail",
    "ImageWithGrading",
    "PatientHistory",
    "Reading",
    "ReadingChange",
    "WorklistFilters",
    "WorklistSort",
    "WorklistState",
    "can_see_image",
    "corrections_of_exam",
    "corrections_of_patient",
    "count_attempts",
    "count_choices",
    "count_worklist",
    "due_on",
    "find_patients",
    "get_case",
    "get_draft",
    "get_exam",
    "get_exam_of_case",
    "get_exam_record",
    "get_exam_to_photograph",
    "get_exam_to_read",
    "get_grading",
    "get_image",
    "get_image_record",
    "get_patient",
    "get_patient_history",
    "get_photo",
    "get_previous_exam",
    "get_reading_change",
    "get_revealed_grading",
    "get_review",
    "has_read",
    "list_exams",
    "list_gradings",
    "list_images",
    "list_patients",
    "list_photos_in_use",
    "reviews_in_error",
    "search_patients",
    "search_worklist",
    "worklist",
)
