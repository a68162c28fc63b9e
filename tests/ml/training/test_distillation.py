"""A student listens to its teacher, in every way the configuration offers, and to nobody held out."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ml.data.augment import shrink
from ml.data.cache import FundusDataset
from ml.data.splits import TRAIN
from ml.data.unlabelled import unlabelled_retinas
from ml.networks.architectures import build
from ml.training.batches import generator, load_images, shard_of
from ml.training.config import Distillation, TrainingConfig, read_config
from ml.training.distillation import DistillationTrainer, distill
from ml.training.teacher import Teacher
from ml.training.train import load_run_data, train
from tests.ml.toys import SOURCES, counting, opinionated_teacher, toy_config, toy_retinas, write_toy_data


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def teacher_run(toy_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "teacher"
    return train(toy_config(n_epochs=1, side_px=48), data=toy_data, imagenet=None, run=run).parent


def taught(teacher: object, **changes: object) -> TrainingConfig:
    how = Distillation(teacher=str(teacher), **changes)  # type: ignore[arg-type]
    return toy_config(n_epochs=1, distillation=how)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "decoupled", "unlabelled": ("eyeq",), "unlabelled_share": 0.5},
        {"features": "attention", "ask_in_bf16": True},
        {"features": "pooled", "views": "cached", "unlabelled": ("eyeq",)},
        {"kind": "decoupled", "views": "cached", "n_views": 3},
        {"further_teachers": ("again",)},
    ],
    ids=[
        "soft",
        "decoupled with unlabelled",
        "attention",
        "cached, pooled, unlabelled",
        "cached, decoupled",
        "two teachers",
    ],
)
def test_every_way_of_listening_trains_a_student(teacher_run: Path, toy_data: Path, changes: dict[str, Any]) -> None:
    run = teacher_run.parent / "-".join(["student", *map(str, changes.values())]).replace("/", "")
    if "further_teachers" in changes:
        changes = {"further_teachers": (str(teacher_run),)}
    best = distill(taught(teacher_run, **changes), data=toy_data, imagenet=None, run=run)
    row = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(row["loss"])
    assert set(row["validation"]) == set(SOURCES)
    build("tiny").load_state_dict(torch.load(best, weights_only=True))  # the student alone, without any layer beside it
    assert read_config(run).distillation == Distillation(teacher=str(teacher_run), **changes)


def agreement(training: DistillationTrainer) -> float:
    """Mean absolute difference of the two networks' chances on the training photographs."""
    pictures = shrink(load_images(training.retinas, training.indices), side_px=64)
    with torch.no_grad():
        own = training.network.eval()((pictures - 0.45) / 0.225).softmax(1)
    return float((own - training.teacher.ask(pictures).logits.softmax(1)).abs().mean())


@pytest.mark.parametrize("views", ["same", "cached"])
@pytest.mark.parametrize("kind", ["soft", "decoupled"])
def test_a_student_comes_nearer_to_what_its_teacher_says(views: str, kind: str, tmp_path: Path) -> None:
    config = taught("-", weight=1.0, views=views, kind=kind)
    config = dataclasses.replace(config, n_epochs=6)
    retinas = toy_retinas()
    torch.manual_seed(0)
    training = DistillationTrainer(
        config,
        retinas,
        build("tiny"),
        teacher=opinionated_teacher(),
        unlabelled=retinas.pixels[:0],
        cache=tmp_path,
    )
    before = agreement(training)
    for _ in range(6 * training.n_steps):
        training.run_step()
    assert agreement(training) < 0.7 * before


def test_the_same_pictures_are_asked_about_once_however_a_student_listens(
    teacher_run: Path, toy_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Teacher, "ask", counting(Teacher.ask, asked))
    sums, weights = [], []
    ways: list[dict[str, Any]] = [
        {},
        {},
        {"temperature": 4.0},
        {"kind": "decoupled", "features": "attention"},
        {"features": "pooled"},
    ]
    for number, changes in enumerate(ways):
        run = teacher_run.parent / f"keeping{number}"
        config = taught(teacher_run, keep_words=True, unlabelled=("eyeq",), **changes)
        best = distill(config, data=toy_data, imagenet=None, run=run)
        sums.append(sum(asked))
        weights.append(torch.load(best, weights_only=True)["classifier.3.weight"])
    assert sums[0] > 32
    assert sums[:4] == [sums[0]] * 4
    assert sums[4] == sums[0] + 1  # a blank picture tells the number of features
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[3])
    other_seed = dataclasses.replace(taught(teacher_run, keep_words=True), seed=99)
    distill(other_seed, data=toy_data, imagenet=None, run=teacher_run.parent / "keeping5")
    assert sum(asked) > sums[4]


def test_what_is_painted_is_learned_from_its_label_and_never_asked_about(tmp_path: Path) -> None:
    config = dataclasses.replace(taught("-", views="cached", weight=1.0), painted_share=1.0)
    retinas = toy_retinas()
    training = DistillationTrainer(
        config, retinas, build("tiny"), teacher=opinionated_teacher(), unlabelled=retinas.pixels[:0], cache=tmp_path
    )
    assert training.graded_words is not None
    healthy = retinas.where(TRAIN)[retinas.grades[retinas.where(TRAIN)] == 0]
    training.graded_words.logits[healthy] = np.nan  # to ask about a healthy one, which is painted on, raises KeyError
    before = training.network.state_dict()["classifier.3.bias"].clone()
    for _ in range(training.n_steps):
        training.run_step()
    assert not torch.equal(training.network.state_dict()["classifier.3.bias"], before)
    all_painted = shard_of(retinas, healthy, painted_share=1.0, random=generator(3))
    assert torch.isfinite(training.loss([all_painted]))


def test_nobody_held_out_and_nothing_rejected_is_among_the_unlabelled(toy_data: Path, tmp_path: Path) -> None:
    retinas: FundusDataset = load_run_data(toy_config(), data=toy_data, cache=tmp_path)
    pixels = unlabelled_retinas(
        [toy_data / "eyeq"],
        graded=[toy_data / source for source in SOURCES],
        retinas=retinas,
        side_px=64,
        cache=tmp_path,
    )
    held_out = {
        f for s, f, p in zip(retinas.sources, retinas.files, retinas.splits, strict=True) if s == "eyepacs" and p
    }
    people = {int(name.split("-")[1].split(".")[0]) for name in held_out}
    assert people  # the toy set's eyeq photographs are of the same thirty people
    assert len(pixels) == len([i for i in range(30) if i not in people and i % 10 != 9])


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "hard"}, "kind"),
        ({"features": "all"}, "features"),
        ({"views": "cached", "features": "attention"}, "views same"),
        ({"views": "cached", "keep_words": True}, "for views same"),
        ({"weight": 1.5}, "between 0 and 1"),
        ({"temperature": 0.0}, "above 0"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_in_words(
    changes: dict[str, Any], word: str, toy_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=word):
        distill(taught("-", **changes), data=toy_data, imagenet=None, run=tmp_path / "run")


def test_a_folder_that_is_no_teacher_is_refused(toy_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a run"):
        distill(taught(tmp_path), data=toy_data, imagenet=None, run=tmp_path / "run")


def test_a_stopped_student_with_a_layer_beside_it_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def begin() -> DistillationTrainer:
        torch.manual_seed(0)
        retinas, teacher = toy_retinas(), opinionated_teacher()
        config = dataclasses.replace(taught("-", features="pooled", views="cached"), n_epochs=2)
        return DistillationTrainer(
            config, retinas, build("tiny"), teacher=teacher, unlabelled=retinas.pixels[:7], cache=tmp_path
        )

    whole, parts, again = begin(), begin(), begin()
    for _ in range(5):
        whole.run_step()
    for _ in range(2):
        parts.run_step()
    again.load_state(parts.state())
    for _ in range(3):
        again.run_step()
    first, second = whole.student.state_dict(), again.student.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_random_numbers_depend_on_the_given_numbers_alone() -> None:
    first, again, other = generator(1, 2, 3), generator(1, 2, 3), generator(1, 3, 2)
    drawn = [torch.rand(4, generator=random).tolist() for random in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
