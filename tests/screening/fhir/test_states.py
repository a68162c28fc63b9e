"""Each state of an exam as each role sees it: FHIR shows no more and nothing else than ``GET /api/v1/exams/{id}``."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.models import Exam, Reading, ReadingDraft, Review, Site, User
from screening.policy.exam_states import ExamState
from screening.selectors.exam_results import RESULT_STATES
from screening.services.arbitrations import arbitrate
from screening.services.corrections import mark_in_error, move_exam
from screening.services.exams import cancel_exam
from screening.services.hand_overs import return_exam, take_back_exam
from screening.services.images import withdraw_image
from screening.services.reviews import sign_review
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.fhir.client import FhirClient
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam
from tests.screening.readings import read_eye

ANSWERS = {0: "LA18643-9", 1: "LA18644-7", 2: "LA18645-4", 3: "LA18646-2", 4: "LA18648-8"}
ROLES = ("photographer", "manager", "reviewer", "first", "second", "senior_reviewer", "outside_reader", "late")


class Walk:
    """An exam at a site, graded 3 and 1, with its people."""

    def __init__(self, site: Site) -> None:
        self.site = site
        roles = {"first": "reviewer", "second": "reviewer", "late": "reviewer"}
        self.people = {name: reader_of(site, roles.get(name, name)) for name in ROLES}
        self.exam = waiting_exam(site, 3, 1)

    def by(self, name: str) -> User:
        return self.people[name]

    def now(self) -> Exam:
        self.exam.refresh_from_db()
        return self.exam

    def read(self) -> None:
        read_eye(exam=self.exam, laterality="OD", grade=0, macular_oedema="none", by=self.by("first"))

    def sign(self, name: str = "first", right: int | None = 0, left: int | None = 2) -> Review:
        review = sign(self.now(), self.by(name), found(right, left))
        assert isinstance(review, Review)
        return review

    def late(self) -> None:
        values = {"entries": {"note": "x"}, "updated_at": timezone.now()}
        ReadingDraft.objects.create(exam=self.exam, reviewer=self.by("late"), **values)
        self.sign()

    def amend(self) -> None:
        review = self.sign()
        changed = found(None, 2, "unknown", changed_reason="Blurred")
        more: dict[str, Any] = {"amends": review, "amend_reason": "Blurred"}
        sign_review(exam=self.now(), findings=changed, by=self.by("first"), **more)

    def retract(self) -> None:
        mark_in_error(review=self.sign(), reason="Of another person", by=self.by("first"))

    def disagree(self) -> None:
        use_protocol(self.site)
        sign(self.now(), self.by("first"), found(3, 0))
        sign(self.now(), self.by("second"), found(0, 0))

    def decide(self) -> None:
        self.disagree()
        first = Reading.objects.get(stage="first")
        arbitrate(exam=self.now(), taken_over=first, reason="Clear", by=self.by("senior_reviewer"))

    def returned(self) -> None:
        return_exam(exam=self.now(), reason="Left eye", by=self.by("first"))

    def cancelled(self) -> None:
        cancel_exam(exam=self.now(), by=self.by("photographer"))

    def withdraw(self) -> None:
        FundusImageFactory(exam=self.exam, laterality="OD", field="disc")
        image = self.exam.images.get(laterality="OD", field="macula")
        withdraw_image(image=image, code="wrong_patient", by=self.by("manager"))

    def move(self) -> None:
        patient = PatientFactory(site=self.site)
        move_exam(exam=self.now(), to_patient=patient, reason="Mixed up", by=self.by("first"))

    def one_eye(self) -> None:
        """The right eye is absent, the left ungradable."""
        self.exam = ExamFactory(patient__site=self.site, is_submitted=True, right_eye_absent_reason="Prosthesis")
        GradingFactory(image=FundusImageFactory(exam=self.exam, laterality="OS"), is_ungradable=True)
        findings = {Laterality.LEFT: found(None, None, "unknown")[Laterality.LEFT]}
        sign(self.exam, self.by("first"), findings)


def then(*steps: Callable[[Walk], Any]) -> Callable[[Walk], None]:
    def walk(one: Walk) -> None:
        for step in steps:
            step(one)

    return walk


WALKS: dict[str, tuple[Callable[[Walk], Any], str, str]] = {
    "open": (lambda one: take_back_exam(exam=one.now(), by=one.by("photographer")), "open", "preliminary"),
    "submitted": (lambda _one: None, "submitted", "preliminary"),
    "first reading": (Walk.read, "first_reading", "preliminary"),
    "second reading": (
        lambda one: (use_protocol(one.site), sign(one.exam, one.by("first"), found(0, 0))),
        "second_reading",
        "preliminary",
    ),
    "arbitration": (Walk.disagree, "arbitration", "preliminary"),
    "arbitrated": (Walk.decide, "signed", "final"),
    "signed": (Walk.sign, "signed", "final"),
    "signed while a colleague reads": (Walk.late, "signed", "final"),
    "one eye": (Walk.one_eye, "signed", "final"),
    "amended": (Walk.amend, "signed", "amended"),
    "retracted": (Walk.retract, "entered_in_error", "entered-in-error"),
    "retracted, read again": (then(Walk.retract, Walk.now, Walk.read), "first_reading", "entered-in-error"),
    "retracted, signed again": (then(Walk.retract, Walk.sign), "signed", "corrected"),
    "retracted, returned": (then(Walk.retract, Walk.returned), "returned", "entered-in-error"),
    "retracted, cancelled": (then(Walk.retract, Walk.cancelled), "cancelled", "entered-in-error"),
    "returned": (Walk.returned, "returned", "preliminary"),
    "cancelled": (Walk.cancelled, "cancelled", "cancelled"),
    "photograph withdrawn": (then(Walk.sign, Walk.withdraw), "submitted", "entered-in-error"),
    "moved": (Walk.move, "submitted", "preliminary"),
    "signed, then moved": (then(Walk.sign, Walk.move), "submitted", "entered-in-error"),
}


SHOWN = ("submitted", "second reading", "signed", "signed while a colleague reads")
"""Walks that also pass at a site that shows the model's result to all."""


@pytest.mark.parametrize(
    ("name", "mode"), [*((name, "blind_first") for name in WALKS), *((name, "side_by_side") for name in SHOWN)]
)
def test_each_role_sees_what_the_api_shows(name: str, mode: str, site: Site) -> None:
    site.reading_mode, site.photographers_see_grades, site.hides_identity = mode, mode == "side_by_side", False
    site.save()
    walk = Walk(site)
    steps, state, status = WALKS[name]
    steps(walk)
    assert walk.now().status == state
    for role, user in walk.people.items():
        client = FhirClient(user)
        exam = client.client.get(f"/api/v1/exams/{walk.exam.pk}").json()
        report = client.get(f"DiagnosticReport/{walk.exam.pk}").body
        observations = client.get("Observation", patient=exam["patient"]).resources
        assert [one["reference"] for one in report.get("result", [])] == [
            f"Observation/{one['id']}" for one in observations
        ]
        assert {one["subject"]["reference"] for one in [report, *observations]} == {f"Patient/{exam['patient']}"}
        assert (exam["review"] is None) == ("conclusion" not in report), role
        is_hidden = status in {"final", "amended"} and exam["review"] is None
        assert report["status"] in ({"registered", "preliminary"} if is_hidden else {status, "registered"}), role
        by_status = client.get("DiagnosticReport", status=",".join(RESULT_STATES)).resources
        assert by_status == ([report] if report["status"] in RESULT_STATES else []), role
        for eye in exam["eyes"]:
            _compare(eye, exam, [one for one in observations if f"-{eye['laterality'].lower()}-" in one["id"]])


def _compare(eye: Any, exam: Any, observations: list[Any]) -> None:
    """What FHIR shows of an eye, with what the API shows of it."""
    kinds = {one["id"][40:]: one for one in observations if one["status"] != "entered-in-error"}
    gradings = [one["grading"] for one in eye["images"] if one["grading"] and one["grading"]["is_revealed"]]
    by_model = {kind: one for kind, one in kinds.items() if "device" in one}
    assert {one["status"] for one in by_model.values()} <= {"preliminary"}
    assert gradings or not by_model
    if "p-referable" in by_model:
        assert kinds["p-referable"]["valueQuantity"]["value"] == max(one["p_referable"] for one in gradings)
    if exam["review"] is None:
        assert kinds == by_model
        grades = {ANSWERS.get(one["grade"]) for one in gradings}
        assert "severity" not in kinds or _answer(kinds["severity"]) in grades
        return
    (finding,) = (one for one in exam["review"]["findings"] if one["laterality"] == eye["laterality"])
    assert by_model.keys() <= {"p-referable", "p-macular-oedema"}
    assert _answer(kinds["severity"]) == ANSWERS.get(finding["grade"])
    assert finding["is_gradable"] or not by_model
    assert kinds.get("gradability", {"valueBoolean": False})["valueBoolean"] == finding["is_gradable"]


def _answer(severity: Any) -> str | None:
    """The code of the grade; None without one."""
    return severity["valueCodeableConcept"]["coding"][0]["code"] if "valueCodeableConcept" in severity else None


def test_all_states_are_walked() -> None:
    assert {state for _steps, state, _status in WALKS.values()} == set(ExamState)
