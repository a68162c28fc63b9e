"""``POST predict``: a photograph graded at once, nothing stored."""

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from screening.models import AuditEvent, FundusImage, Grading, User
from tests.builders import FakeGrader, make_prediction, photo_bytes
from tests.screening.api.client import V1, ApiClient, assert_is_error
from tests.screening.photos.test_validation import REFUSED

KEYS = {
    "model_version",
    "is_gradable",
    "p_gradable",
    "quality_reasons",
    "grade",
    "grade_name",
    "probabilities",
    "p_referable",
    "is_referable",
    "operating_point",
    "heatmap_png",
    "heatmap_box",
    "disclaimer",
}


@pytest.fixture
def caller(photographer: User) -> ApiClient:
    return ApiClient(photographer)


def layer_of(body: dict[str, Any]) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(body["heatmap_png"], validate=True)))


def test_a_gradable_photograph_is_answered_with_everything_the_page_shows(caller: ApiClient) -> None:
    answer = caller.send("predict")
    assert answer.status == 200
    assert set(answer.body) == KEYS
    assert answer.body["model_version"] == "fake-1.0.0+00000000"
    assert (answer.body["grade"], answer.body["grade_name"]) == (2, "Moderate non-proliferative")
    assert answer.body["is_gradable"] is True
    assert answer.body["quality_reasons"] == []
    assert sum(answer.body["probabilities"]) == pytest.approx(1)
    assert answer.body["p_referable"] == pytest.approx(sum(answer.body["probabilities"][2:]))
    assert (answer.body["is_referable"], answer.body["operating_point"]) == (True, 0.5)
    assert answer.body["heatmap_box"] == [0.1, 0.0, 0.9, 1.0]
    assert "oedema is not graded" in answer.body["disclaimer"]


def test_an_ungradable_photograph_is_a_result_with_advice_and_never_a_negative(
    caller: ApiClient, fake_grader: FakeGrader
) -> None:
    fake_grader.prediction = make_prediction(None)
    answer = caller.send("predict")
    assert answer.status == 200
    for key in ("grade", "grade_name", "probabilities", "p_referable", "is_referable", "heatmap_png", "heatmap_box"):
        assert answer.body[key] is None
    (reason,) = answer.body["quality_reasons"]
    assert reason["code"] == "blurred"
    assert "Refocus" in reason["advice"]


def test_a_reason_that_has_no_text_still_has_advice(caller: ApiClient, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(None, quality_reasons=("of_the_future",))
    assert [one["code"] for one in caller.send("predict").body["quality_reasons"]] == ["of_the_future"]
    fake_grader.prediction = make_prediction(None, quality_reasons=())
    (reason,) = caller.send("predict").body["quality_reasons"]
    assert reason["code"] == "unclear"
    assert reason["advice"]


@pytest.mark.parametrize(
    ("size", "expected"), [((120, 90), (120, 90)), ((1200, 900), (512, 384)), ((700, 1400), (256, 512))]
)
def test_the_heatmap_has_the_photographs_proportions(
    size: tuple[int, int], expected: tuple[int, int], caller: ApiClient
) -> None:
    layer = layer_of(caller.send("predict", photo_bytes(size=size)).body)
    assert (layer.format, layer.mode, layer.size) == ("PNG", "RGBA", expected)


def test_the_heatmap_lies_on_the_upright_photograph(caller: ApiClient) -> None:
    exif = Image.Exif()
    exif[274] = 6  # the camera was held upright: the stored rows are columns of the scene
    layer = layer_of(caller.send("predict", photo_bytes(size=(600, 300), exif=exif)).body)
    assert layer.size == (256, 512)


def test_the_heatmap_is_clear_outside_its_box_and_where_there_is_no_evidence(
    caller: ApiClient, fake_grader: FakeGrader
) -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[:, 3] = 1
    fake_grader.prediction = make_prediction(2, heatmap=heat, heatmap_box=(0.25, 0.0, 0.75, 1.0))
    layer = layer_of(caller.send("predict", photo_bytes(size=(400, 200))).body)
    alpha = np.asarray(layer)[..., 3]
    assert alpha[:, :100].max() == 0
    assert alpha[:, 300:].max() == 0
    assert alpha[:, 280:299].min() > alpha[:, 100:120].max()


def test_the_heatmap_can_be_left_out(caller: ApiClient) -> None:
    answer = caller.send("predict?heatmap=false")
    assert (answer.status, answer.body["heatmap_png"], answer.body["heatmap_box"]) == (200, None, None)
    assert answer.body["grade"] == 2
    assert_is_error(caller.send("predict?heatmap=perhaps"), 400, "invalid")


def test_nothing_is_stored_but_an_audit_event_without_the_photograph(
    caller: ApiClient, photographer: User, media_root: Path, published: list[Any]
) -> None:
    caller.send("predict")
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()
    assert not media_root.exists()
    assert published == []
    event = AuditEvent.objects.exclude(verb=AuditEvent.Verb.API_KEY_ISSUED).get()
    assert event.verb == AuditEvent.Verb.PHOTO_PREDICTED
    assert event.actor == photographer
    assert set(event.data) == {"model_version", "is_gradable"}


def test_the_grader_is_given_the_photograph_without_its_metadata(caller: ApiClient, fake_grader: FakeGrader) -> None:
    caller.send("predict", photo_bytes(comment=b"Byron, Ada"))
    (given,) = fake_grader.photos
    assert b"Byron" not in given


@pytest.mark.parametrize(("code", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_file_that_is_no_photograph_is_400_with_a_sentence(
    code: str, make: Callable[[], bytes], caller: ApiClient, fake_grader: FakeGrader
) -> None:
    answer = caller.send("predict", make())
    assert_is_error(answer, 400, code)
    assert answer.body["fields"] == {"photo": answer.body["message"]}
    assert fake_grader.photos == []


@pytest.mark.parametrize("form", [{}, {"photo": "text"}, {"file": "text"}])
def test_a_form_without_a_file_says_how_to_send_one(form: dict[str, str], caller: ApiClient) -> None:
    response = caller.client.post(V1 + "predict", form)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert "photo" in response.json()["fields"]["photo"]
