"""What a teacher says: of a picture, of fixed views, kept and read again, alone and with others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.data.augment import shrink
from ml.data.splits import TRAIN
from ml.networks.architectures import build
from ml.training.batches import load_images, normalize
from ml.training.checkpoints import read_state, save_atomically
from ml.training.teacher import CachedTeacher, Ensemble, Remembering, Teacher, ask_once, view
from tests.ml.toys import counting, opinionated_teacher, toy_retinas


def test_kept_words_are_the_mean_over_the_views_and_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retinas, teacher = toy_retinas(), opinionated_teacher()
    rows = retinas.where(TRAIN)
    first = ask_once(teacher, retinas.pixels, rows[:40], n_views=2, cache=tmp_path)
    pictures = shrink(load_images(retinas, rows[:3]), side_px=48)
    expected = (teacher.ask(pictures).logits + teacher.ask(pictures.flip(3)).logits) / 2
    assert torch.allclose(first.look_up(rows[:3]).logits, expected, atol=1e-5)
    with pytest.raises(KeyError, match="never asked"):
        first.look_up(rows[40:])
    asked: list[int] = []
    monkeypatch.setattr(Teacher, "ask", counting(Teacher.ask, asked))
    whole = ask_once(teacher, retinas.pixels, rows, n_views=2, cache=tmp_path)
    assert sum(asked) == 1 + 2 * (len(rows) - 40)  # one blank picture tells the number of features
    assert torch.equal(whole.look_up(rows[:3]).logits, first.look_up(rows[:3]).logits)


def test_kept_words_are_those_of_the_teacher(tmp_path: Path) -> None:
    pictures, teacher = torch.rand(3, 3, 64, 64), opinionated_teacher()
    said = teacher.ask(pictures)
    first, again = (Remembering(teacher, tmp_path).ask(pictures) for _ in range(2))
    assert torch.equal(first.logits, said.logits)
    assert torch.allclose(first.features, said.features, rtol=1e-3, atol=1e-3)
    assert said.attention is not None
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True) if a is not None and b is not None)
    assert again.attention is not None
    assert torch.equal(again.attention, said.attention)
    Remembering(teacher, tmp_path).ask(pictures[:2])
    Remembering(teacher, tmp_path).ask(pictures, use_bf16=True)
    Remembering(Ensemble([teacher, opinionated_teacher(side_px=64)]), tmp_path).ask(pictures)
    assert sorted(len(list(folder.iterdir())) for folder in tmp_path.iterdir()) == [1, 3]


def test_two_runs_that_write_down_the_same_word_at_once_leave_it_whole(tmp_path: Path) -> None:
    path, state = tmp_path / "word.pt", {"logits": torch.rand(64, 5)}
    together = threading.Barrier(2)

    def write() -> None:
        for _ in range(20):
            together.wait(timeout=30)
            save_atomically(state, path)

    with ThreadPoolExecutor(2) as pool:
        for writer in [pool.submit(write), pool.submit(write)]:
            writer.result()
    assert torch.equal(read_state(path)["logits"], state["logits"])
    assert list(tmp_path.iterdir()) == [path]


def test_another_teacher_is_asked_anew(tmp_path: Path) -> None:
    retinas, rows = toy_retinas(), np.arange(4)
    first = ask_once(opinionated_teacher(), retinas.pixels, rows, n_views=1, cache=tmp_path)
    second = ask_once(opinionated_teacher(side_px=64), retinas.pixels, rows, n_views=1, cache=tmp_path)
    assert not torch.equal(first.look_up(rows).logits, second.look_up(rows).logits)


@pytest.mark.parametrize("architecture", ["tiny", "resnet50", "mobilenet_v3_small"])
def test_a_teacher_that_is_folded_to_be_faster_says_the_same(architecture: str) -> None:
    torch.manual_seed(2)
    network = build(architecture).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.uniform_(-0.2, 0.2)
            module.weight.data.uniform_(0.8, 1.2)
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = network(normalize(pictures))
    teacher = Teacher(network, 64)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in teacher.network.modules())
    assert torch.allclose(teacher.ask(pictures).logits, expected, atol=1e-4)


def test_several_teachers_speak_with_one_voice() -> None:
    pictures = shrink(load_images(toy_retinas(), np.arange(4)), side_px=64)
    first, second = opinionated_teacher(side_px=48), opinionated_teacher(side_px=64)
    both = Ensemble([first, second])
    expected = (first.ask(pictures).logits + second.ask(pictures).logits) / 2
    assert torch.allclose(both.ask(pictures).logits, expected, atol=1e-5)
    assert torch.equal(both.ask(pictures).features, first.ask(pictures).features)
    assert both.side_px == 64
    fingerprints = {teacher.fingerprint() for teacher in (first, second, both, Ensemble([second, first]))}
    assert len(fingerprints) == 4


def test_the_eight_views_of_a_square_are_all_different() -> None:
    square = torch.arange(27.0).view(1, 3, 3, 3)
    views = [tuple(view(square, number).flatten().tolist()) for number in range(8)]
    assert len(set(views)) == 8
    assert views[0] == tuple(square.flatten().tolist())


def test_words_that_were_never_given_are_not_invented() -> None:
    nothing = CachedTeacher(np.full((3, 5), np.nan, np.float32), np.zeros((3, 2), np.float16))
    with pytest.raises(KeyError):
        nothing.look_up(np.array([1]))
