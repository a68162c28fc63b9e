"""Are heatmaps on lesions? Pointing game (Zhang et al., ECCV 2016) and energy (Wang et al., CVPR Workshops 2020).

``python -m ml pointing-game FOLDER`` takes lesion masks in the layout of IDRiD; ``--synthetic N`` takes synthetic
photographs, which test the measures themselves and not the model. Each measure stands beside that of two maps that know
nothing of the photograph: a random one, and a Gaussian at the centre of the retina (centre bias).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ml.data.labels import read_labels
from ml.data.splits import held_out
from ml.metrics import bootstrap
from ml.metrics.markdown import row_table, with_interval
from ml.perceptual_hash import hash_picture
from ml.picture_correlation import is_same_picture
from ml.vocabulary import ICDRGrade, Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.grader import Grader
    from ml.prediction import Prediction
    from ml.serving.preprocess import Box

    Mask = NDArray[np.bool_]

EXUDATES = "EX"
LESION_SUFFIXES = ("MA", "HE", EXUDATES, "SE")
"""IDRiD's microaneurysms, haemorrhages, hard and soft exudates (not OD, the optic disc)."""
CENTER_SIGMA = 0.25
"""Of the map with centre bias: the standard deviation of its Gaussian, as a fraction of the retina's diameter."""
HELD_OUT, TRAINING = "held out", "training"
MEASURES = {
    "hit_rate": "maximum on a lesion",
    "energy": "energy on lesions",
    "energy_ratio": "energy / lesions' fraction of the retina",
}
"""Titles by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMasks:
    """Masks (H, W) of one photograph, of any lesion and of hard exudates."""

    photo: "Path | Image.Image"
    lesions: "Mask"
    exudates: "Mask"


def score(heatmap: "NDArray[np.float32]", box: "Box", lesions: "Mask") -> dict[str, float] | None:
    """Compare a heatmap (h, w) at its box with a lesion mask (H, W); None if one of them is empty.

    ``hit_rate`` is 1 if a lesion lies within half a cell of the maximum (the heatmap's resolution), else 0. ``energy``
    is the fraction of the heatmap's sum that lies on lesions, within the retina. Those of a random map are the
    probability that a point of the retina is a hit, and the lesions' fraction of the retina.
    """
    shape = (height, width) = heatmap.shape
    retina, on_lesion = _sampled(lesions, box, shape)
    near = distance_transform_edt(~on_lesion) <= len(on_lesion) / height / 2
    weight = _cell_means(retina, shape)  # (h, w) fraction of each cell inside the retina
    fractions = _cell_means(retina & on_lesion, shape)
    heat = np.where(weight > 0, heatmap, 0)
    if not heat.max() or not fractions.any():
        return None
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width])[:, None, None] - 0.5
    center = np.exp(-(x**2 + y**2) / (2 * CENTER_SIGMA**2))
    row, column = np.unravel_index(int(heat.argmax()), shape)
    return {
        "hit_rate": _at(near, (row + 0.5) / height, (column + 0.5) / width),
        "center_hit_rate": _at(near, 0.5, 0.5),
        "random_hit_rate": float(near[retina].mean()),
        "energy": _energy(heat, fractions, weight),
        "center_energy": _energy(center, fractions, weight),
        "random_energy": float(fractions.sum() / weight.sum()),
    }


def _sampled(lesions: "Mask", box: "Box", shape: tuple[int, int]) -> "tuple[Mask, Mask]":
    """(h n, w n) retina, and lesions, sampled in the box with n points on each side of a cell: at least one a pixel."""
    (height, width), (left, top, right, bottom) = lesions.shape, box
    n = max(1, math.ceil(max((right - left) * width / shape[1], (bottom - top) * height / shape[0])))
    v, u = ((np.arange(cells * n) + 0.5) / (cells * n) for cells in shape)  # positions in the box, 0 to 1
    rows = np.floor((top + v * (bottom - top)) * height).astype(np.int64)
    columns = np.floor((left + u * (right - left)) * width).astype(np.int64)
    inside = np.logical_and.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    retina = inside & (np.hypot.outer(v - 0.5, u - 0.5) <= 0.5)
    return retina, inside & lesions[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]


def _cell_means(mask: "Mask", shape: tuple[int, int]) -> "NDArray[np.float64]":
    """(h n, w n) -> (h, w)."""
    height, width = shape
    means: NDArray[np.float64] = mask.reshape(height, len(mask) // height, width, -1).mean(axis=(1, 3))
    return means


def _at(mask: "Mask", v: float, u: float) -> float:
    height, width = mask.shape
    return float(mask[int(v * height), int(u * width)])


def _energy(heat: "NDArray[np.floating]", fractions: "NDArray[np.floating]", weight: "NDArray[np.floating]") -> float:
    return float((heat * fractions).sum() / (heat * weight).sum())


def idrid_masks(folder: Path, *, side_px: int = 800) -> Iterator[LesionMasks]:
    """Photographs below ``folder`` with masks (``NAME_MA.tif`` or ``.png`` ...).

    Masks are reduced to ``side_px`` on the longer side; a cell that holds any lesion counts.
    """
    masks: dict[str, dict[str, Path]] = {}
    for suffix in LESION_SUFFIXES:
        for path in (path for kind in ("tif", "png") for path in folder.rglob(f"*_{suffix}.{kind}")):
            masks.setdefault(path.stem.removesuffix(f"_{suffix}"), {})[suffix] = path
    for photo in sorted(folder.rglob("*.jpg")):
        if photo.stem in masks:
            read = {suffix: _read_mask(path, side_px) for suffix, path in masks[photo.stem].items()}
            lesions = np.any(list(read.values()), axis=0)
            yield LesionMasks(photo=photo, lesions=lesions, exudates=read.get(EXUDATES, np.zeros_like(lesions)))


def masks_by_split(folder: Path, *, graded: Path) -> dict[str, list[LesionMasks]]:
    """As ``idrid_masks``; TRAINING are those that are the same as a training photograph of ``idrid``.

    ``graded`` is the folder of the source ``idrid``. NB: IDRiD numbers the same photographs differently there, and two
    of them are there with another brightness. Raises LabelError without its labels.
    """
    listed = held_out()["idrid"]
    training = [hash_picture(photo.path) for photo in read_labels(graded) if photo.path.stem not in listed]
    known = [photo_hash for photo_hash in training if photo_hash]
    splits: dict[str, list[LesionMasks]] = {HELD_OUT: [], TRAINING: []}
    for each in idrid_masks(folder):
        photo_hash = hash_picture(each.photo)
        is_known = photo_hash is not None and any(is_same_picture(photo_hash, other) for other in known)
        splits[TRAINING if is_known else HELD_OUT].append(each)
    return splits


def _read_mask(path: Path, side_px: int) -> "Mask":
    with Image.open(path) as image:
        mask = image.convert("RGB").point(lambda value: 255 if value else 0)  # IDRiD's masks are red on black
    step = math.ceil(max(mask.size) / side_px)
    return np.asarray(np.asarray(mask.reduce(step)).max(axis=2) > 0, np.bool_)


def synthetic_masks(n: int) -> Iterator[LesionMasks]:
    """``n`` synthetic photographs of moderate disease, which has few lesions, with their masks."""
    from ml.synthetic import draw_fundus, drawing_for_grade
    from ml.synthetic.lesion_mask import lesion_mask

    for seed in range(n):
        drawing = drawing_for_grade(ICDRGrade.MODERATE, list(Laterality)[seed % 2], seed=seed)
        lesions = lesion_mask(drawing)
        yield LesionMasks(photo=draw_fundus(drawing), lesions=lesions, exudates=np.zeros_like(lesions))


def heatmap_metrics(grader: "Grader", photos: Sequence[LesionMasks]) -> dict[str, dict[str, Any]]:
    """Means with 95 % intervals by photograph, of the heatmap of the grade, and of macular oedema on hard exudates.

    Of the photographs graded as diseased, and of those with a suspicion of oedema: other heatmaps show no lesions.
    """
    scores: dict[str, list[dict[str, float]]] = {"grade": [], "macular_oedema": []}
    for each in photos:
        prediction = grader.grade(each.photo, include_ungradable=True)
        for name, result in _scores(prediction, each).items():
            scores[name] += [result] if result else []
    return {
        name: {"n": len(rows), "n_photos": len(photos), "metrics": _means(rows)}
        for name, rows in scores.items()
        if rows
    }


def _scores(prediction: "Prediction", masks: LesionMasks) -> dict[str, dict[str, float] | None]:
    box, heatmap, oedema = prediction.heatmap_box, prediction.heatmap, prediction.oedema_heatmap
    found = {}
    if box is not None and heatmap is not None and prediction.grade:
        found["grade"] = score(heatmap, box, masks.lesions)
    if box is not None and oedema is not None and prediction.suspects_oedema:
        found["macular_oedema"] = score(oedema, box, masks.exudates)
    return found


def _means(rows: list[dict[str, float]]) -> dict[str, list[float | None] | None]:
    """Means, the ratio of the mean energy to the lesions' mean fraction, and what the model has over the center map."""
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def statistic(chosen: "NDArray[np.int64]") -> dict[str, float]:
        means = {name: float(each[chosen].mean()) for name, each in values.items()}
        energy = means["random_energy"]
        means |= {f"{of}energy_ratio": means[f"{of}energy"] / energy for of in ("", "center_", "random_")}
        return means | {f"{name}_gain": means[name] - means[f"center_{name}"] for name in MEASURES}

    return bootstrap.with_confidence_intervals(statistic, np.arange(len(rows)).astype(str))


def heatmap_table(results: dict[str, dict[str, Any]]) -> str:
    """The metrics in Markdown: a row for each heatmap and measure."""
    return row_table(
        [
            {"heatmap": _title(name), "photographs": f"{entry['n']} of {entry['n_photos']}", "measure": title}
            | {"model": with_interval(entry["metrics"][measure])}
            | {"centre map": with_interval(entry["metrics"][f"center_{measure}"])}
            | {"random map": with_interval(entry["metrics"][f"random_{measure}"])}
            | {"model less centre map": with_interval(entry["metrics"][f"{measure}_gain"])}
            for name, entry in results.items()
            for measure, title in MEASURES.items()
        ]
    )


def heatmap_verdict(results: dict[str, dict[str, Any]]) -> str:
    """A sentence for each heatmap: whether the 95 % interval of its gain over the centre map is above 0."""
    sentences = []
    for name, entry in results.items():
        gains = {title: entry["metrics"][f"{measure}_gain"] for measure, title in MEASURES.items()}
        failed = [title for title, gain in gains.items() if gain[1] <= 0]
        verdict = f"NOT shown to be better than the centre map ({', '.join(failed)})"
        if not failed:
            verdict = "better than the centre map in each measure"
        sentences.append(f"Heatmap of {_title(name)}: {verdict}.")
    return " ".join(sentences)


def _title(name: str) -> str:
    return name.replace("_", " ")
