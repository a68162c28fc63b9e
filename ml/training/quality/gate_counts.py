"""Count the good photographs of each source that the gates on the whole picture and on its colours refuse."""

from collections import Counter
from pathlib import Path

from tqdm import tqdm

from ml.metrics.markdown import table
from ml.serving.preprocess import crop_fundus
from ml.serving.quality.gate import assess_quality
from ml.training.quality.false_colors import SOURCES, good_photos
from ml.vocabulary import QualityReason

COUNTED = (
    QualityReason.TWO_EYES,
    QualityReason.NOT_COLOR,
    QualityReason.OTHER_FIELD,
    QualityReason.NOT_A_PHOTOGRAPH,
    QualityReason.LIGHT_BORDER,
)
SIDE_PX = 224


def gate_table(data: Path, *, every: int) -> str:
    """Markdown table of sources: good photographs, how many each gate refuses, and how many of them have writing."""
    rows = [["source", "photographs", *COUNTED, "refused", "writing"]]
    for source in SOURCES:
        photos, counts = good_photos(data / source)[::every], Counter[str]()
        for path, _group in tqdm(photos, desc=source, mininterval=5):
            crop = crop_fundus(path, side_px=SIDE_PX)
            counts.update(assess_quality(crop).reasons)
            counts["writing"] += crop is not None and crop.has_writing
        n_refused = sum(counts[reason] for reason in COUNTED)
        refused = f"{100 * n_refused / len(photos):.1f}%"
        numbers = [str(counts[reason]) for reason in COUNTED]
        rows.append([source, str(len(photos)), *numbers, refused, str(counts["writing"])])
    return table(rows)
