"""Losses: smallest at the label, and equal to the formulas of the papers."""

import pytest
import torch
from torch.nn import functional

from ml.training.losses import kd_loss, label_loss, oedema_loss, sord_targets
from tests.ml.toys import toy_config

STUDENT, TEACHER = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))


def certain_of(grade: int) -> torch.Tensor:
    return 8 * functional.one_hot(torch.tensor([grade]), 5).float()


def test_sord_targets_fall_with_the_distance() -> None:
    target = sord_targets(torch.tensor([0, 2]), 2.0)
    assert target.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert target[0].tolist() == sorted(target[0].tolist(), reverse=True)
    assert target[1, 1] == target[1, 3] < target[1, 2]


@pytest.mark.parametrize(("name", "is_ordinal"), [("sord", True), ("cross_entropy", False)])
def test_the_loss_is_smallest_at_the_label_and_ordinal_if_configured(name: str, is_ordinal: bool) -> None:
    loss = label_loss(toy_config(loss=name))
    losses = [float(loss(certain_of(grade), torch.tensor([1]))) for grade in range(5)]
    assert min(losses) == losses[1]
    assert (losses[2] < losses[4] - 0.1) == is_ordinal


def test_it_refuses_an_unknown_loss() -> None:
    with pytest.raises(ValueError, match=r"Unknown loss 'hinge'. Known: cross_entropy, sord."):
        label_loss(toy_config(loss="hinge"))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_the_distillation_loss_is_hintons(temperature: float) -> None:
    p, q = (TEACHER / temperature).softmax(1), (STUDENT / temperature).softmax(1)
    expected = temperature**2 * (p * (p.log() - q.log())).sum(1).mean()
    assert float(kd_loss(STUDENT, TEACHER, temperature)) == pytest.approx(float(expected), rel=1e-5)
    assert float(kd_loss(TEACHER, TEACHER, temperature)) == pytest.approx(0, abs=1e-6)


def test_the_distillation_loss_has_finite_gradients_if_the_teacher_is_certain() -> None:
    student = torch.zeros(1, 5, requires_grad=True)
    kd_loss(student, 60 * functional.one_hot(torch.tensor([3]), 5).float(), 1.0).backward()  # type: ignore[no-untyped-call]  # untyped torch
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()


def test_photographs_without_a_label_of_oedema_do_not_count() -> None:
    logits = torch.tensor([3.0, -2.0, 9.0], requires_grad=True)
    loss = oedema_loss(logits, torch.tensor([1, 0, -1]))
    expected = functional.binary_cross_entropy_with_logits(logits[:2], torch.tensor([1.0, 0.0]), reduction="sum") / 3
    assert float(loss) == pytest.approx(float(expected))
    loss.backward()  # type: ignore[no-untyped-call]  # untyped torch
    assert logits.grad is not None
    assert logits.grad[2] == 0


def test_a_student_learns_oedema_only_from_teachers_that_know_it() -> None:
    student, teacher = (torch.randn(6, 6, generator=torch.Generator().manual_seed(i)) for i in (1, 2))
    both, grades = kd_loss(student, teacher, 2.0), kd_loss(student, teacher[:, :5], 2.0)
    p, q = (teacher[:, 5] / 2).sigmoid(), (student[:, 5] / 2).sigmoid()
    expected = 4 * (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean()
    assert float(both - grades) == pytest.approx(float(expected), rel=1e-4)
