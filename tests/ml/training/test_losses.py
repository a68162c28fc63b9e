"""Losses: small where they should be, and what the papers say they are."""

import pytest
import torch
from torch.nn import functional

from ml.training.losses import (
    LABEL_LOSSES,
    attention,
    attention_loss,
    decoupled_loss,
    kd_loss,
    label_loss,
    ordinal_target,
    pooled_loss,
)
from tests.ml.toys import toy_config

RANDOM = torch.Generator().manual_seed(0)
STUDENT, TEACHER = torch.randn(2, 6, 5, generator=RANDOM)
GRADES = torch.tensor([0, 1, 2, 3, 4, 0])


def sure_of(grade: int) -> torch.Tensor:
    return 8 * functional.one_hot(torch.tensor([grade]), 5).float()


def test_ordinal_targets_fall_with_the_distance() -> None:
    target = ordinal_target(torch.tensor([0, 2]), 2.0)
    assert target.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert target[0].tolist() == sorted(target[0].tolist(), reverse=True)
    assert target[1, 1] == target[1, 3] < target[1, 2]


@pytest.mark.parametrize("name", sorted(LABEL_LOSSES))
def test_the_label_itself_costs_least(name: str) -> None:
    costs = [float(label_loss(name)(sure_of(grade), torch.tensor([2]), toy_config())) for grade in range(5)]
    assert min(costs) == costs[2]


@pytest.mark.parametrize(("name", "is_ordinal"), [("sord", True), ("emd", True), ("cross_entropy", False)])
def test_an_ordinal_loss_forgives_the_neighbour(name: str, is_ordinal: bool) -> None:
    near, far = (float(label_loss(name)(sure_of(grade), torch.tensor([1]), toy_config())) for grade in (2, 4))
    assert (near < far - 0.1) == is_ordinal


def test_the_squared_earth_movers_distance_is_that_of_the_cumulated_chances() -> None:
    logits, grade = torch.log(torch.tensor([[0.5, 0.5, 1e-9, 1e-9, 1e-9]])), torch.tensor([2])
    config = toy_config()
    distance = LABEL_LOSSES["emd"](logits, grade, config) - LABEL_LOSSES["cross_entropy"](logits, grade, config)
    assert float(distance) == pytest.approx(0.5**2 + 1.0**2, abs=1e-5)


def test_an_unknown_loss_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="cross_entropy, emd, sord"):
        label_loss("hinge")


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_the_soft_loss_is_hintons(temperature: float) -> None:
    p, q = (TEACHER / temperature).softmax(1), (STUDENT / temperature).softmax(1)
    expected = temperature**2 * (p * (p.log() - q.log())).sum(1).mean()
    assert float(kd_loss(STUDENT, TEACHER, temperature)) == pytest.approx(float(expected), rel=1e-5)
    assert float(kd_loss(TEACHER, TEACHER, temperature)) == pytest.approx(0, abs=1e-6)


def test_the_decoupled_loss_is_hintons_where_the_second_part_has_his_weight() -> None:
    """KL = KL(target) + (1 - p_target of the teacher) KL(others): equation 6 of the paper."""
    for i in range(len(GRADES)):
        student, teacher, grade = STUDENT[i : i + 1], TEACHER[i : i + 1], GRADES[i : i + 1]
        p_others = 1 - float((teacher / 3).softmax(1)[0, grade])
        ours = decoupled_loss(student, teacher, grade, 3.0, target_share=1.0, others_share=p_others)
        assert float(ours) == pytest.approx(float(kd_loss(student, teacher, 3.0)), rel=1e-4)


def test_pooled_features_are_compared_by_direction() -> None:
    features = torch.randn(4, 7, generator=RANDOM)
    assert float(pooled_loss(features, 3 * features)) == pytest.approx(0, abs=1e-6)
    assert float(pooled_loss(features, -features)) == pytest.approx(4, abs=1e-5)


def test_attention_asks_where_and_not_which_channel() -> None:
    maps = torch.rand(2, 6, 4, 4, generator=RANDOM)
    assert float(attention_loss(attention(maps), attention(maps.flip(1)))) == pytest.approx(0, abs=1e-6)
    assert float(attention_loss(attention(maps), attention(maps.flip(3)))) > 0.01
    coarse = functional.interpolate(maps.square().mean(1, keepdim=True), size=(8, 8)).sqrt()
    assert float(attention_loss(attention(maps), attention(coarse))) < float(
        attention_loss(attention(maps), attention(maps.flip(3)))
    )


@pytest.mark.parametrize("name", ["soft", "decoupled", "pooled", "attention"])
def test_losses_of_a_teacher_have_finite_slopes_where_it_is_certain(name: str) -> None:
    student = torch.zeros(1, 5, requires_grad=True)
    teacher = 60 * functional.one_hot(torch.tensor([3]), 5).float()
    loss = {
        "soft": lambda: kd_loss(student, teacher, 1.0),
        "decoupled": lambda: decoupled_loss(
            student, teacher, torch.tensor([3]), 1.0, target_share=1.0, others_share=2.0
        ),
        "pooled": lambda: pooled_loss(student + 0.1, teacher),
        "attention": lambda: attention_loss(
            attention((student + 0.1).view(1, 5, 1, 1)), teacher.view(1, 5, 1, 1).square()
        ),
    }[name]()
    loss.backward()  # type: ignore[no-untyped-call]
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()
