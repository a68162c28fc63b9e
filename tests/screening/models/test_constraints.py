"""Constraints of the database, and properties of models."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError
from django.utils import timezone

from screening.models import FirstReading, Heatmap, LesionMark, PatientSearchTerm
from screening.models.sites import validate_timezone
from screening.policy import WorklistRank
from tests.screening.eye_states import oedema_columns
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
    SiteFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def graded(**changes: Any) -> Any:
    return GradingFactory(**{"is_done": True, **changes})


def heatmap(**values: Any) -> Heatmap:
    return Heatmap.objects.create(grading=GradingFactory(), **values)


def first_reading(**changes: Any) -> FirstReading:
    values = {"exam": ExamFactory(), "reviewer": UserFactory(), "laterality": "OD", "is_gradable": True, "grade": 1}
    return FirstReading.objects.create(**{**values, **changes})


def mark(**changes: Any) -> LesionMark:
    values = {"image": FundusImageFactory(), "author": UserFactory(), "number": 1, "kind": "irma", "shape": "point"}
    if not changes.keys() & {"finding", "first_reading"}:
        values["finding"] = EyeFindingFactory()
    return LesionMark.objects.create(**{**values, "points": [[0.5, 0.5]], **changes})


IMPOSSIBLE: list[tuple[str, Callable[..., Any], dict[str, Any]]] = [
    ("an unknown reading mode", SiteFactory, {"reading_mode": "quick"}),
    ("an unknown role", MembershipFactory, {"role": "owner"}),
    ("a patient without a number", PatientFactory, {"mrn": ""}),
    ("a patient without a name", PatientFactory, {"given_name": "", "family_name": ""}),
    ("a birth date and an estimated age", PatientFactory, {"estimated_age": 60, "age_estimated_on": timezone.now()}),
    ("an estimated age without a day", PatientFactory, {"born_on": "", "estimated_age": 60}),
    ("an unknown sex", PatientFactory, {"sex": "Q"}),
    ("an unknown diabetes type", PatientFactory, {"diabetes_type": "3"}),
    ("an unknown exam status", ExamFactory, {"status": "lost"}),
    ("a submitted exam without a time", ExamFactory, {"status": "submitted"}),
    ("an unknown rank", ExamFactory, {"worklist_rank": max(WorklistRank) + 1}),
    ("a third eye", FundusImageFactory, {"laterality": "OU"}),
    ("an unknown field", FundusImageFactory, {"field": "iris"}),
    ("a photograph without width", FundusImageFactory, {"width_px": 0}),
    ("a photograph withdrawn without a reason", FundusImageFactory, {"withdrawn_at": timezone.now()}),
    (
        "another reason without words",
        FundusImageFactory,
        {"withdrawn_at": timezone.now(), "withdrawn_code": "other"},
    ),
    ("a reason without a withdrawal", FundusImageFactory, {"withdrawn_reason": "blurred"}),
    ("a code without a withdrawal", FundusImageFactory, {"withdrawn_code": "wrong_eye"}),
    ("a date of the photograph without its source", FundusImageFactory, {"captured_on": timezone.localdate()}),
    ("an unknown grading status", GradingFactory, {"status": "maybe"}),
    ("a waiting grading with a grade", GradingFactory, {"grade": 0}),
    ("a failed grading with a grade", GradingFactory, {"is_failed": True, "grade": 0, "is_gradable": True}),
    ("a failed grading with a probability", GradingFactory, {"is_failed": True, "p_referable": 0.1}),
    ("a failure without a code", GradingFactory, {"status": "failed"}),
    ("an ungradable photograph with a grade", GradingFactory, {"is_ungradable": True, "grade": 0}),
    ("an ungradable photograph with P(referable)", GradingFactory, {"is_ungradable": True, "p_referable": 0.1}),
    ("a finished grading without a result", GradingFactory, {"status": "done"}),
    ("a gradable photograph without a grade", graded, {"grade": None, "p_referable": 0.1, "is_referable": False}),
    ("a grade without probabilities", graded, {"probabilities": None}),
    ("a grade without an operating point", graded, {"operating_point": None}),
    ("grade 5", graded, {"grade": 5}),
    ("a probability above 1", graded, {"p_referable": 1.01}),
    ("a probability below 0", graded, {"p_gradable": -0.01}),
    ("an unknown band", ExamFactory, {"worklist_band": 8}),
    ("an unknown quality of an exam", ExamFactory, {"quality": "fair"}),
    ("an unknown urgency of reading", ExamFactory, {"reading_urgency": "whenever"}),
    ("a submitted exam without a due time", ExamFactory, {"is_submitted": True, "due_at": None}),
    ("a reading target of no time", SiteFactory, {"reading_target_soon_h": 0}),
    ("a probability of oedema above 1", graded, oedema_columns(1.01)),
    ("a probability of oedema below 0", graded, oedema_columns(-0.01)),
    ("a probability of oedema without a decision", graded, oedema_columns(0.9) | {"suspects_oedema": None}),
    ("a probability of oedema without a threshold", graded, oedema_columns(0.9) | {"oedema_operating_point": None}),
    ("a suspicion of oedema without a probability", graded, oedema_columns(0.9) | {"p_macular_oedema": None}),
    ("a heatmap of nothing", heatmap, {"of_grade": None}),
    ("an ungradable photograph with oedema", GradingFactory, {"is_ungradable": True, **oedema_columns(0.9)}),
    ("a failed grading with oedema", GradingFactory, {"is_failed": True, "is_gradable": True, **oedema_columns(0.9)}),
    ("a waiting grading that assessed oedema", GradingFactory, {"oedema_operating_point": 0.4}),
    ("an unknown outcome", ReviewFactory, {"outcome": "wait"}),
    ("an unknown urgency", ReviewFactory, {"urgency": "whenever"}),
    ("a reason without an amendment", ReviewFactory, {"amend_reason": "Typing error"}),
    ("an ungradable finding with a grade", EyeFindingFactory, {"is_gradable": False, "grade": 0}),
    ("a gradable finding without a grade", EyeFindingFactory, {"grade": None}),
    ("an absent eye with a grade", EyeFindingFactory, {"is_absent": True, "grade": 0}),
    ("a finding of grade 5", EyeFindingFactory, {"grade": 5}),
    ("an unknown oedema", EyeFindingFactory, {"macular_oedema": "some"}),
    ("an ungradable first reading with a grade", first_reading, {"is_gradable": False}),
    ("a gradable first reading without a grade", first_reading, {"grade": None}),
    ("a mark of nothing", mark, {"finding": None}),
    ("a mark of an unknown kind", mark, {"kind": "freckle"}),
    ("a mark of an unknown shape", mark, {"shape": "square"}),
    ("a circle without a radius", mark, {"shape": "circle"}),
    ("a point with a radius", mark, {"radius": 0.1}),
]


@pytest.mark.parametrize(("make", "values"), [row[1:] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE])
def test_the_database_refuses(make: Callable[..., Any], values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**values)


UNIQUE: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (SiteFactory, {"code": "harbour"}),
    (MembershipFactory, {"user": UserFactory, "site": SiteFactory}),
    (PatientFactory, {"site": SiteFactory, "mrn": "A1"}),
    (PatientSearchTerm.objects.create, {"patient": PatientFactory, "term": "again"}),
    (FundusImageFactory, {"exam": ExamFactory, "sha256": "0" * 64}),
    (GradingFactory, {"image": FundusImageFactory}),
    (ReviewFactory, {"exam": lambda: ExamFactory(is_submitted=True)}),
    (EyeFindingFactory, {"review": ReviewFactory}),
    (first_reading, {"exam": ExamFactory, "reviewer": UserFactory}),
    (mark, {"finding": EyeFindingFactory}),
]


@pytest.mark.parametrize(("make", "values"), UNIQUE)
def test_a_unique_row_is_refused_twice(make: Callable[..., Any], values: dict[str, Any]) -> None:
    same = {name: value() if callable(value) else value for name, value in values.items()}
    make(**same)
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**same)


def test_a_review_is_amended_once_and_with_a_reason() -> None:
    signed = ReviewFactory()
    amend = {"exam": signed.exam, "amends": signed, "amend_reason": "Typing error"}
    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewFactory(**{**amend, "amend_reason": ""})
    ReviewFactory(**amend)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewFactory(**amend)


def test_one_number_at_two_sites_is_two_patients() -> None:
    assert PatientFactory(mrn="A1") != PatientFactory(mrn="A1")


def test_a_row_that_others_refer_to_cannot_be_deleted() -> None:
    finding = EyeFindingFactory(review=ReviewFactory(exam=ExamFactory(is_submitted=True)))
    exam = finding.review.exam
    image = GradingFactory(image=FundusImageFactory(exam=exam)).image
    for row in (exam.site, exam.patient, exam, image, finding.review, exam.opened_by, finding.review.reviewer):
        with pytest.raises(ProtectedError):
            row.delete()


@pytest.mark.parametrize("make", [PatientFactory, ExamFactory, FundusImageFactory, GradingFactory, ReviewFactory])
def test_the_text_of_a_row_has_no_name(make: Callable[..., Model]) -> None:
    text = str(make())
    assert not any(name in text for name in ("Byron", "Ada", "MRN"))


def test_a_stored_photograph_has_a_random_name_and_its_extension() -> None:
    image = FundusImageFactory()
    folder, shard, name = str(image.file.name).split("/")
    assert (folder, shard, name[:2], name[32:]) == ("photos", name[:2], shard, ".jpg")
    assert FundusImageFactory().file.name != image.file.name


@pytest.mark.parametrize(("day", "age"), [("2026-05-16", "65 years"), ("2026-05-17", "66 years")])
def test_age_counts_whole_years(day: str, age: str) -> None:
    assert PatientFactory(born_on="1960-05-17").age_text_on(datetime.date.fromisoformat(day)) == age


def test_a_time_zone_must_exist() -> None:
    validate_timezone("Europe/Paris")
    with pytest.raises(ValidationError, match="not a time zone"):
        validate_timezone("Europe/Atlantis")
