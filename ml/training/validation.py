"""Validation of a network during training: metrics by source, and the score that selects the best epoch."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from ml.data.augment import resize_images
from ml.data.labels import EQUALIZED_SOURCE
from ml.data.splits import VALIDATION
from ml.metrics.grading import area_under_curve, expected_grade, quadratic_kappa, referable_auc
from ml.training.batches import load_images, normalize
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ml.data.cache import FundusDataset

BATCH_SIZE = 64


@torch.inference_mode()
def predict(network: "nn.Module", dataset: "FundusDataset", rows: "NDArray[np.int64]", *, image_size: int) -> "Tensor":
    """[n, K + 1] logits of photographs without augmentation."""
    network.eval()
    device = next(network.parameters()).device
    logits = []
    for start in range(0, len(rows), BATCH_SIZE):
        images = load_images(dataset.pixels, rows[start : start + BATCH_SIZE], device)
        logits.append(network(normalize(resize_images(images, image_size))).cpu())
    return torch.cat(logits)


def validate(
    network: "nn.Module", dataset: "FundusDataset", *, image_size: int
) -> tuple[float, dict[str, dict[str, float]]]:
    """Validation score; accuracy, quadratic kappa and AUC of each source's validation photographs."""
    rows = dataset.where(VALIDATION)
    logits = predict(network, dataset, rows, image_size=image_size)
    probabilities = logits[:, :N_GRADES].softmax(1).numpy()
    truth, oedema, sources = dataset.grades[rows], dataset.oedema[rows], dataset.sources[rows]
    grades = expected_grade(probabilities).round().astype(np.int64)
    p_referable = probabilities[:, REFERABLE_FROM:].sum(axis=1)
    metrics = {}
    for source in np.unique(sources):
        own = sources == source
        metrics[str(source)] = {
            "n": int(own.sum()),
            "accuracy": round(float((grades[own] == truth[own]).mean()), 4),
            "kappa": round(quadratic_kappa(truth[own], grades[own]), 4),
            "auc": round(referable_auc(truth[own], p_referable[own]) or 0.0, 4),
        }
        known = own & (oedema >= 0)
        if (auc := area_under_curve(oedema[known] == 1, logits[known, N_GRADES].numpy())) is not None:
            metrics[str(source)]["oedema_auc"] = round(auc, 4)
    return validation_score(metrics), metrics


def validation_score(metrics: dict[str, dict[str, float]]) -> float:
    """Lowest referable AUC of the clinical sources + mean kappa + mean oedema AUC: it selects the best epoch.

    The worst source is chosen by AUC: the kappa of the 144 photographs of the smallest source moves by 0.1 between
    epochs of equal AUC. In the means a source weighs as the square root of its number of photographs, as its standard
    error falls. ``EQUALIZED_SOURCE`` counts in the means only.
    """
    clinical = [each for source, each in metrics.items() if source != EQUALIZED_SOURCE]
    every = list(metrics.values())
    return min(each["auc"] for each in clinical or every) + _mean(every, "kappa") + _mean(every, "oedema_auc")


def _mean(sources: list[dict[str, float]], metric: str) -> float:
    """Weighted mean of the sources with this metric; 0 if there are none."""
    known = [each for each in sources if metric in each]
    return float(np.average([e[metric] for e in known], weights=[e["n"] ** 0.5 for e in known])) if known else 0.0
