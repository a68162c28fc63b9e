"""Lesions painted on healthy retinas: they show, they stay on the retina, and the label follows them."""

import numpy as np
import pytest
import torch

from ml.data.cache import FundusDataset
from ml.data.painted import PAINTED_GRADES, draw_grades, paint, sparse_lesions
from ml.synthetic.lesions import Lesions
from ml.training.batches import Shard, augmented_images, generator, shard_of
from ml.vocabulary import ICDRGrade
from tests.ml.toys import toy_retinas

SIDE_PX = 200
GRADES = list(ICDRGrade)


def healthy_retina(*, disc_at: int = 160) -> torch.Tensor:
    """[3, H, H] uint8: an even disc with a bright optic disc at column ``disc_at``."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    photo = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    photo[(x - 100) ** 2 + (y - 100) ** 2 < 96**2] = 120
    photo[(x - disc_at) ** 2 + (y - 100) ** 2 < 12**2] = 230
    return torch.from_numpy(photo).permute(2, 0, 1)


def changed_share(grade: int, *, disc_at: int = 160) -> float:
    """Mean share of the retina that paint of this grade changes visibly."""
    photo = healthy_retina(disc_at=disc_at)
    painted = [paint(photo, grade, random=generator(seed)) for seed in range(12)]
    return float(np.mean([((p.int() - photo.int()).abs().amax(0) > 12).float().mean() for p in painted]))


@pytest.mark.parametrize("disc_at", [40, 160], ids=["left eye", "right eye"])
def test_more_disease_leaves_more_paint(disc_at: int) -> None:
    shares = [changed_share(grade, disc_at=disc_at) for grade in GRADES]
    assert shares[0] == 0
    assert 0 < shares[1] < shares[2] < shares[3]
    assert shares[4] > shares[2]


def test_nothing_is_painted_outside_the_retina() -> None:
    photo = healthy_retina()
    for seed in range(6):
        painted = paint(photo, 4, random=generator(seed))
        assert painted.dtype == torch.uint8
        assert painted.shape == photo.shape
        assert torch.equal(painted.amax(0) > 0, photo.amax(0) > 0)


def test_the_same_random_numbers_paint_the_same_lesions() -> None:
    photo = healthy_retina()
    first, again, other = (paint(photo, 3, random=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_healthy_grade_leaves_the_photograph_as_it_was() -> None:
    assert torch.equal(paint(healthy_retina(), 0, random=generator(1)), healthy_retina())


@pytest.mark.parametrize("grade", GRADES)
def test_lesions_earn_their_grade_by_the_international_scale(grade: ICDRGrade) -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        lesions = sparse_lesions(grade, rng)
        is_proliferative = lesions.n_new_vessels + lesions.n_preretinal_haemorrhages > 0
        more_than_dots = lesions.n_total > lesions.n_microaneurysms
        assert is_proliferative == (grade is ICDRGrade.PROLIFERATIVE)
        assert more_than_dots == (grade >= ICDRGrade.MODERATE)
        assert (lesions == Lesions()) == (grade is ICDRGrade.NONE)
        if grade is ICDRGrade.SEVERE:
            assert lesions.n_irma >= 1  # the 1 of the 4-2-1 rule
            assert lesions.n_haemorrhages >= 20


def test_every_grade_but_none_is_painted() -> None:
    drawn = torch.bincount(draw_grades(4000, random=generator(0)), minlength=5) / 4000
    assert drawn.tolist() == pytest.approx(PAINTED_GRADES, abs=0.04)
    assert drawn[0] == 0


def shard(retinas: FundusDataset, *, painted_share: float) -> Shard:
    return shard_of(retinas, retinas.where(0), painted_share=painted_share, random=generator(7))


def test_only_healthy_photographs_are_painted_and_their_label_follows() -> None:
    retinas = toy_retinas()
    plain, painted = shard(retinas, painted_share=0.0), shard(retinas, painted_share=0.6)
    truth = torch.from_numpy(retinas.grades[retinas.where(0)])
    assert torch.equal(plain.grades, truth)
    assert not plain.is_painted.any()
    assert 0 < painted.is_painted.sum() < (truth == 0).sum()
    assert (truth[painted.is_painted] == 0).all()
    assert (painted.grades[painted.is_painted] > 0).all()
    assert torch.equal(painted.grades[~painted.is_painted], truth[~painted.is_painted])


def test_a_painted_photograph_is_shown_painted_and_the_stored_one_is_not_touched() -> None:
    retinas = toy_retinas()
    stored = retinas.pixels.copy()
    with_paint = shard(retinas, painted_share=1.0)
    without = with_paint._replace(is_painted=torch.zeros_like(with_paint.is_painted), random=generator(7))
    shown = augmented_images(retinas, with_paint, side_px=64, equalised_share=0.0)
    assert shown.shape == (len(with_paint.rows), 3, 64, 64)
    assert not torch.equal(shown, augmented_images(retinas, without, side_px=64, equalised_share=0.0))
    assert np.array_equal(retinas.pixels, stored)
