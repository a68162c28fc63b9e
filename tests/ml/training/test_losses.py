"""Losses: small where they should be, and what the papers say they are."""

import pytest
import torch
from torch.nn import functional

from ml.training.losses import LABEL_LOSSES, kd_loss, label_loss, ordinal_target
from tests.ml.toys import toy_config

RANDOM = torch.Generator().manual_seed(0)
STUDENT, TEACHER = torch.randn(2, 6, 5, generator=RANDOM)


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


@pytest.mark.parametrize(("name", "is_ordinal"), [("sord", True), ("cross_entropy", False)])
def test_an_ordinal_loss_forgives_the_neighbour(name: str, is_ordinal: bool) -> None:
    near, far = (float(label_loss(name)(sure_of(grade), torch.tensor([1]), toy_config())) for grade in (2, 4))
    assert (near < far - 0.1) == is_ordinal


def test_an_unknown_loss_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="cross_entropy, sord"):
        label_loss("hinge")


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_the_soft_loss_is_hintons(temperature: float) -> None:
    p, q = (TEACHER / temperature).softmax(1), (STUDENT / temperature).softmax(1)
    expected = temperature**2 * (p * (p.log() - q.log())).sum(1).mean()
    assert float(kd_loss(STUDENT, TEACHER, temperature)) == pytest.approx(float(expected), rel=1e-5)
    assert float(kd_loss(TEACHER, TEACHER, temperature)) == pytest.approx(0, abs=1e-6)


def test_the_distillation_loss_has_finite_gradients_if_the_teacher_is_certain() -> None:
    student = torch.zeros(1, 5, requires_grad=True)
    kd_loss(student, 60 * functional.one_hot(torch.tensor([3]), 5).float(), 1.0).backward()  # type: ignore[no-untyped-call]
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()
