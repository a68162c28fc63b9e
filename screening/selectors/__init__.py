"""What pages and the API read, one noun a file. Every selector keeps to the user's own sites."""

from screening.selectors.exams import (
    ExamReading,
    EyeReading,
    ImageReading,
    get_exam,
    get_grading,
    get_image,
    get_previous_exam,
)
from screening.selectors.patients import (
    PatientHistory,
    get_patient,
    get_patient_history,
    list_patients,
    search_patients,
)
from screening.selectors.worklist import count_by_rank, worklist, worklist_page

__all__ = (
    "ExamReading",
    "EyeReading",
    "ImageReading",
    "PatientHistory",
    "count_by_rank",
    "get_exam",
    "get_grading",
    "get_image",
    "get_patient",
    "get_patient_history",
    "get_previous_exam",
    "list_patients",
    "search_patients",
    "worklist",
    "worklist_page",
)
