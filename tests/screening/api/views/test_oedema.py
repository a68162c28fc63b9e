"""The model's suspicion of macular oedema in the API."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from screening.models import Exam, Grading, Site, User
from tests.builders import OEDEMA_OUTPUT, FakeBundle, FakeGrader, make_prediction, oedema_values, photo_bytes
from tests.screening.api.client import ApiClient
from tests.screening.eye_states import make_exam, replace_oedema
from tests.screening.readings import read_eye

LIMIT = "A colour photograph cannot exclude macular oedema."
SUSPICION = f"Suspicion of macular oedema in the photograph. {LIMIT}"
NO_SUSPICION = f"No suspicion of macular oedema in the photograph. {LIMIT}"
NOT_ASSESSED = f"Macular oedema: not assessed, the macula is not visible. {LIMIT}"
HIDDEN_KEYS = ("p_macular_oedema", "suspects_oedema", "oedema_text")
CASES: list[tuple[float | None, tuple[Any, ...]]] = [
    (0.9, (0.9, True, 0.4, SUSPICION)),
    (0.1, (0.1, False, 0.4, NO_SUSPICION)),
    (None, (None, None, 0.4, NOT_ASSESSED)),
]


def oedema_of(body: dict[str, Any]) -> tuple[Any, ...]:
    return (body["p_macular_oedema"], body["suspects_oedema"], body["oedema_operating_point"], body["oedema_text"])


def gradings_of(client: ApiClient, exam: Exam) -> list[dict[str, Any]]:
    """The grading of the right eye wherever the API has it; the first one is the detail."""
    grading = Grading.objects.get(image__exam=exam, image__laterality="OD")
    listed = [one for one in client.get("gradings").body["results"] if one["id"] == str(grading.pk)]
    return [
        client.get(f"gradings/{grading.pk}").body,
        *listed,
        client.get(f"images/{grading.image_id}").body["grading"],
        client.get(f"exams/{exam.pk}").body["eyes"][0]["images"][0]["grading"],
        client.get("exams").body["results"][0]["eyes"][0]["images"][0]["grading"],
    ]


@pytest.mark.parametrize(("p", "expected"), CASES)
def test_a_prediction_has_the_suspicion(
    p: float | None, expected: tuple[Any, ...], client: ApiClient, fake_grader: FakeGrader
) -> None:
    fake_grader.prediction = make_prediction(0, **oedema_values(p))
    body = client.send("predict", photo_bytes(size=(400, 300))).body
    assert oedema_of(body) == expected
    assert LIMIT.rstrip(".") in body["disclaimer"]
    assert (body["oedema_heatmap_png"] is None) is (p is None)
    assert client.send("predict?heatmap=false").body["oedema_heatmap_png"] is None


def test_the_heatmap_of_oedema_is_another_one(client: ApiClient, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(2, **oedema_values(0.9))
    body = client.send("predict", photo_bytes(size=(400, 300))).body
    layers = [Image.open(BytesIO(base64.b64decode(body[key]))) for key in ("heatmap_png", "oedema_heatmap_png")]
    assert layers[0].size == layers[1].size == (400, 300)
    alphas = [np.asarray(layer)[..., 3] for layer in layers]
    assert alphas[1][10, 340] > 0  # the upper right corner of its box
    assert alphas[1][10, 60] == 0
    assert (alphas[0] != alphas[1]).any()


@pytest.mark.parametrize("grade", [2, None])
def test_without_an_assessment_all_is_null(grade: int | None, client: ApiClient, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(grade)
    body = client.send("predict").body
    assert oedema_of(body) == (None, None, None, "")
    assert body["oedema_heatmap_png"] is None


@pytest.mark.parametrize(("p", "expected"), CASES)
def test_a_grading_has_the_suspicion(p: float | None, expected: tuple[Any, ...], client: ApiClient, site: Site) -> None:
    exam = make_exam(site, "grade 0", "grade 0")
    replace_oedema(Grading.objects.all(), p)
    detail, *others = gradings_of(client, exam)
    assert len(others) == 4
    assert all(oedema_of(body) == expected for body in (detail, *others))
    assert (detail["oedema_heatmap"] is None) is (p is None)
    assert all("oedema_heatmap" not in body for body in others)


def test_a_blind_reader_gets_none_before_the_own_reading(client: ApiClient, site: Site, reviewer: User) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST, photographers_see_grades=True)
    exam = make_exam(site, "grade 0, suspicion of oedema", "grade 0, macula not visible")
    desk = ApiClient(reviewer)
    detail, *others = gradings_of(desk, exam)
    for body in (detail, *others):
        assert {body[key] for key in HIDDEN_KEYS} == {None}
    assert detail["oedema_heatmap"] is None
    assert all(oedema_of(body)[0] == 0.9 for body in gradings_of(client, exam))  # a photographer's
    for eye in ("OD", "OS"):
        assert desk.get(f"exams/{exam.pk}").body["eyes"][1]["images"][0]["grading"]["oedema_text"] is None
        read_eye(exam=exam, laterality=eye, grade=0, macular_oedema="none", by=reviewer)
    assert all(oedema_of(body) == (0.9, True, 0.4, SUSPICION) for body in gradings_of(desk, exam))


def test_the_model_has_the_operating_point_of_oedema(client: ApiClient, fake_grader: FakeGrader) -> None:
    body = client.get("model").body
    assert (body["oedema_operating_point"], body["not_graded"]) == (None, ["macular_oedema"])
    fake_grader.bundle = FakeBundle(oedema=OEDEMA_OUTPUT)
    body = client.get("model").body
    assert (body["oedema_operating_point"], body["not_graded"]) == (0.4, [])
    assert LIMIT.rstrip(".") in body["disclaimer"]
