"""``POST predict``."""

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml.vocabulary import QualityLevel
from screening.models import AuditEvent, FundusImage, Grading, User
from tests.builders import FakeGrader, make_prediction, photo_bytes
from tests.screening.api.client import V1, ApiClient, assert_is_error
from tests.screening.photos.test_validation import REFUSED

SHARED_KEYS = (
    "model",
    "model_version",
    "is_gradable",
    "quality_level",
    "p_gradable",
    "quality_reasons",
    "operating_point",
)
EYE_KEYS = ("laterality_suggested", "laterality_confidence")
LIMIT_KEYS = ("disclaimer", "has_writing", "is_limited_negative", "limitation")
GRADE_KEYS = (
    "grade",
    "grade_name",
    "probabilities",
    "p_at_least",
    "p_referable",
    "is_referable",
    "heatmap_png",
    "heatmap_box",
)
OEDEMA_KEYS = ("p_macular_oedema", "suspects_oedema", "oedema_operating_point", "oedema_text", "oedema_heatmap_png")
ROTATED = Image.Exif()
ROTATED[274] = 6  # orientation: by 90 degrees


def heatmap_of(client: ApiClient, **options: Any) -> Image.Image:
    body = client.send("predict", photo_bytes(**options)).body
    return Image.open(BytesIO(base64.b64decode(body["heatmap_png"], validate=True)))


def test_a_gradable_photograph_has_a_grade(client: ApiClient) -> None:
    response = client.send("predict")
    assert response.status == 200
    body = response.body
    assert set(body) == {*SHARED_KEYS, *EYE_KEYS, *LIMIT_KEYS, *GRADE_KEYS, *OEDEMA_KEYS}
    assert (body["model"], body["model_version"], body["operating_point"]) == ("fast", "fake-1.0.0+00000000", 0.5)
    assert (body["is_gradable"], body["quality_level"], body["quality_reasons"]) == (True, "good", [])
    assert (body["is_limited_negative"], body["limitation"]) == (False, "")
    assert (body["grade"], body["grade_name"], body["is_referable"]) == (2, "Moderate non-proliferative", True)
    assert sum(body["probabilities"]) == pytest.approx(1)
    assert body["p_referable"] == pytest.approx(sum(body["probabilities"][2:]))
    assert body["p_at_least"][1] == pytest.approx(body["p_referable"])
    assert body["heatmap_box"] == [0.1, 0.0, 0.9, 1.0]
    assert "cannot exclude macular oedema" in body["disclaimer"]


@pytest.mark.parametrize("grade", [0, 3])
def test_a_negative_of_limited_quality_has_the_warning_of_missed_lesions(
    grade: int, client: ApiClient, fake_grader: FakeGrader
) -> None:
    fake_grader.prediction = make_prediction(grade, quality_level=QualityLevel.USABLE, quality_reasons=("blurred",))
    body = client.send("predict").body
    assert (body["is_gradable"], body["quality_level"], body["grade"]) == (True, "usable", grade)
    assert [reason["code"] for reason in body["quality_reasons"]] == ["blurred"]
    assert body["is_limited_negative"] is (grade == 0)
    assert ("Small lesions could be missed" in body["limitation"]) is (grade == 0)


@pytest.mark.parametrize(
    ("reasons", "code", "advice"),
    [(("blurred",), "blurred", "Refocus"), (("of_the_future",), "of_the_future", "again"), ((), "unclear", "again")],
)
def test_an_ungradable_photograph_has_advice_and_no_grade(
    reasons: tuple[str, ...], code: str, advice: str, client: ApiClient, fake_grader: FakeGrader
) -> None:
    fake_grader.prediction = make_prediction(None, quality_reasons=reasons)
    response = client.send("predict")
    assert response.status == 200
    assert [response.body[key] for key in GRADE_KEYS] == [None] * len(GRADE_KEYS)
    (reason,) = response.body["quality_reasons"]
    assert reason["code"] == code
    assert advice in reason["advice"]


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"size": (120, 90)}, (120, 90)),
        ({"size": (1200, 900)}, (512, 384)),
        ({"size": (700, 1400)}, (256, 512)),
        ({"size": (600, 300), "exif": ROTATED}, (256, 512)),
    ],
)
def test_the_heatmap_has_the_proportions_of_the_upright_photograph(
    options: dict[str, Any], size: tuple[int, int], client: ApiClient
) -> None:
    layer = heatmap_of(client, **options)
    assert (layer.format, layer.mode, layer.size) == ("PNG", "RGBA", size)


def test_the_heatmap_is_transparent_outside_its_box_and_without_evidence(
    client: ApiClient, fake_grader: FakeGrader
) -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[:, 3] = 1
    fake_grader.prediction = make_prediction(2, heatmap=heat, heatmap_box=(0.25, 0.0, 0.75, 1.0))
    alpha = np.asarray(heatmap_of(client, size=(400, 200)))[..., 3]
    assert alpha[:, :100].max() == 0
    assert alpha[:, 300:].max() == 0
    assert alpha[:, 280:299].min() > alpha[:, 100:120].max()


def test_the_heatmap_can_be_omitted(client: ApiClient) -> None:
    response = client.send("predict?heatmap=false")
    assert (response.status, response.body["heatmap_png"], response.body["heatmap_box"]) == (200, None, None)
    assert response.body["grade"] == 2
    assert_is_error(client.send("predict?heatmap=perhaps"), 400, "invalid")


def test_only_an_audit_event_is_stored(
    client: ApiClient, photographer: User, media_root: Path, published: list[Any]
) -> None:
    client.send("predict")
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()
    assert not media_root.exists()
    assert published == []
    event = AuditEvent.objects.exclude(verb=AuditEvent.Verb.API_KEY_ISSUED).get()
    assert event.verb == AuditEvent.Verb.PHOTO_PREDICTED
    assert event.actor == photographer
    assert set(event.data) == {"model_version", "is_gradable", "sha256"}


def test_the_grader_gets_no_metadata(client: ApiClient, fake_grader: FakeGrader) -> None:
    client.send("predict", photo_bytes(comment=b"Byron, Ada"))
    (photo,) = fake_grader.photos
    assert b"Byron" not in photo


@pytest.mark.parametrize(("code", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_invalid_file_is_400_with_a_message(
    code: str, make: Callable[[], bytes], client: ApiClient, fake_grader: FakeGrader
) -> None:
    response = client.send("predict", make())
    assert_is_error(response, 400, code)
    assert response.body["fields"] == {"photo": response.body["message"]}
    assert fake_grader.photos == []


@pytest.mark.parametrize("form", [{}, {"photo": "text"}, {"file": "text"}])
def test_a_form_without_a_file_is_400(form: dict[str, str], client: ApiClient) -> None:
    response = client.client.post(V1 + "predict", form)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert "photo=@" in response.json()["fields"]["photo"]
