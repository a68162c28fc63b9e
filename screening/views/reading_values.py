"""Values that the form of a reading starts from."""

import json

from screening.forms.lesions import LESION_PREFIX
from screening.forms.readings import UNGRADABLE
from screening.models import EyeFinding, FirstReading
from screening.policy.landmarks import LandmarksError, read_landmarks, write_landmarks
from screening.policy.marks import MarkError, read_marks, write_marks
from screening.selectors import EyeDetail


def initial_of_reading(source: FirstReading | EyeFinding) -> dict[str, str]:
    """Values of the form from a reading. A grade of another scale selects none."""
    initial = {name: getattr(source, name) for name in ("other_disease", "ungradable_reason", "contradiction_reason")}
    initial["marks"] = write_marks(one.value for one in source.marks.all())
    initial["landmarks"] = landmarks_of(source)
    initial |= {f"{LESION_PREFIX}{code}": str(value) for code, value in source.lesions.items()}
    return initial | {"verdict": verdict_of(source), "macular_oedema": macular_answer_of(source)}


def marks_in_use(text: str, eye: EyeDetail) -> str:
    """The marks of the form without those on photographs that are not in use any more."""
    try:
        marks = read_marks(text)
    except MarkError:
        return text  # the form refuses it with a reason
    in_use = {one.image.pk for one in eye.images}
    return write_marks(mark for mark in marks if mark.image_id in in_use)


def landmarks_of(reading: FirstReading | EyeFinding) -> str:
    """The landmarks of a reading as JSON, the form in which the page has them; empty for none."""
    return json.dumps(reading.landmarks, separators=(",", ":")) if reading.landmarks else ""


def landmarks_in_use(text: str, eye: EyeDetail) -> str:
    """The landmarks of the form without those of photographs that are not in use any more."""
    try:
        landmarks = read_landmarks(text)
    except LandmarksError:
        return text  # the form refuses it with a reason
    in_use = {one.image.pk for one in eye.images}
    return write_landmarks({image_id: one for image_id, one in landmarks.items() if image_id in in_use})


def initial_acuity(eye: EyeDetail) -> dict[str, str]:
    """The newest visual acuity of this visit."""
    return {"acuity": eye.acuity.entered, "acuity_correction": eye.acuity.correction} if eye.acuity else {}


def initial_at_triage(eye: EyeDetail) -> dict[str, str]:
    """At a triage site a clear negative is preselected for confirmation; a referable eye and oedema never are.

    Nor is a negative in which small lesions could be missed, or with a suspicion of macular oedema.
    """
    grading = eye.decisive_image.grading if eye.decisive_image else None
    if grading is None or grading.grade is None or grading.is_referable or eye.limited_negatives:
        return {}
    if eye.is_oedema_suspected:
        return {}
    return {"verdict": str(grading.grade)}


def verdict_of(reading: FirstReading | EyeFinding) -> str:
    """Value of the form: the grade in its scale."""
    return (reading.retinopathy or str(reading.grade)) if reading.is_gradable else UNGRADABLE


def macular_answer_of(reading: FirstReading | EyeFinding) -> str:
    return reading.maculopathy or reading.macular_oedema
