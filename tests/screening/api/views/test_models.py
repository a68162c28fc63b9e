"""The choice of the model in the API: predictions, gradings of a photograph, and what a model is."""

from typing import Any

import pytest

from ml.vocabulary import ServedModel
from screening.models import Site
from tests.builders import FakeGrader
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import FundusImageFactory

FAST = ServedModel.FAST
pytestmark = pytest.mark.usefixtures("graders")


@pytest.mark.parametrize(
    ("query", "model", "grade"), [("", "fast", 0), ("?model=fast", "fast", 0), ("?model=accurate", "accurate", 2)]
)
def test_a_prediction_is_by_the_chosen_model(client: ApiClient, query: str, model: str, grade: int) -> None:
    body = client.send(f"predict{query}").body
    assert (body["model"], body["model_version"], body["grade"]) == (model, f"{model}-1.0.0+00000000", grade)
    described = client.get(f"model{query}").body
    assert (described["model"], described["model_version"]) == (model, body["model_version"])
    assert described["installed"] == ["accurate", "fast"]


@pytest.mark.parametrize("model", ["slow", "", "ACCURATE"])
def test_an_unknown_model_is_refused_with_a_sentence(client: ApiClient, site: Site, model: str) -> None:
    image = FundusImageFactory(exam__patient__site=site)
    for response in (
        client.send(f"predict?model={model}"),
        client.get(f"model?model={model}"),
        client.post(f"images/{image.pk}/gradings", {"model": model}),
    ):
        assert_is_error(response, 400, "invalid")
        sentence = response.body["fields"]["model"]
        assert "Choose one of: accurate, fast." in str(sentence) or model == ""
    assert not image.gradings.exists()


def test_a_model_that_is_not_installed_is_refused(
    client: ApiClient, settings: Any, graders: dict[ServedModel, FakeGrader]
) -> None:
    settings.GRADING_MODELS = (FAST,)
    response = client.send("predict?model=accurate")
    assert_is_error(response, 400, "invalid")
    sentence = "“accurate” is not a model of this installation. Choose one of: fast."
    assert sentence in response.body["fields"]["model"]
    settings.GRADING_MODELS = (ServedModel.ACCURATE,)
    assert client.send("predict").body["model"] == "accurate", "the default is the model that is there"
    assert graders[FAST].photos == []


def test_a_photograph_is_graded_by_both_models(client: ApiClient, site: Site) -> None:
    image = FundusImageFactory(exam__patient__site=site)
    first, second = (client.post(f"images/{image.pk}/gradings", body).body for body in ({}, {"model": "fast"}))
    assert (first["model"], second["model"]) == ("accurate", "fast")
    again = client.post(f"images/{image.pk}/gradings", {"model": "fast"})
    assert (again.status, again.body["id"]) == (200, second["id"])
    assert client.get(f"images/{image.pk}").body["grading"]["id"] == first["id"]
    listed = client.get(f"gradings?image={image.pk}").body["results"]
    assert {grading["id"] for grading in listed} == {first["id"], second["id"]}


def test_a_site_names_the_model_that_grades_its_exams(client: ApiClient, site: Site, settings: Any) -> None:
    assert [one["model"] for one in client.get("sites").body] == ["accurate"]
    settings.GRADING_MODELS = (FAST,)
    assert [one["model"] for one in client.get("sites").body] == ["fast"]
