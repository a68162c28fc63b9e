"""Validation of a network during training: metrics by source, and the score that selects the best epoch."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from ml.data.augment import resize_images
from ml.data.labels import EQUALIZED_SOURCE
from ml.data.splits import VALIDATION
from ml.metrics.grading import expected_grade, quadratic_kappa, referable_auc
from ml.training.batches import load_images, normalize
from ml.vocabulary import REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ml.data.cache import FundusDataset

BATCH_SIZE = 64


@torch.inference_mode()
def predict(network: "nn.Module", dataset: "FundusDataset", rows: "NDArray[np.int64]", *, image_size: int) -> "Tensor":
    """[n, K] logits of photographs without augmentation."""
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
    """Validation score; accuracy, quadratic kappa and referable AUC of each source's validation photographs."""
    rows = dataset.where(VALIDATION)
    probabilities = predict(network, dataset, rows, image_size=image_size).softmax(1).numpy()
    truth, sources = dataset.grades[rows], dataset.sources[rows]
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
    return validation_score(metrics), metrics


def validation_score(metrics: dict[str, dict[str, float]]) -> float:
    """Lowest referable AUC of the clinical sources plus the mean kappa: it selects the best epoch.

    The worst source is chosen by AUC: the kappa of the 144 photographs of the smallest source moves by 0.1 between
    epochs of equal AUC. In the mean a source weighs as the square root of its number of photographs, as its standard
    error falls. ``EQUALIZED_SOURCE`` counts in the mean only.
    """
    clinical = [each for source, each in metrics.items() if source != EQUALIZED_SOURCE]
    every = list(metrics.values())
    mean = np.average([each["kappa"] for each in every], weights=[each["n"] ** 0.5 for each in every])
    return min(each["auc"] for each in clinical or every) + float(mean)
