"""Make a bundle the default if it is not worse than the current one: ``python -m ml promote BUNDLE``.

Quadratic kappa and the area under the curve of grade >= 2 on the test split decide. On the mean of the sources it is a
test of non-inferiority (as in ICH E9): the 95 % interval of the difference must lie above minus the margin. A single
source has too few photographs of disease for that: there the difference itself must not be beyond the margin, nor its
whole interval below zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.bundle import BUNDLES, Bundle
from ml.errors import BundleError
from ml.evaluation.compare import MEAN, Comparison, compare, comparison_json, comparison_text
from ml.evaluation.evaluate import build_evaluation, compact_json, evaluation_photos, write_evaluation
from ml.evaluation.predictions import EvaluationPhoto, fingerprint, predict
from ml.grader import Grader
from ml.metrics.grading import METRICS
from ml.release.model_card import write_card
from ml.release.rendering import render

if TYPE_CHECKING:
    from ml.evaluation.compare import Candidate

MARGINS = {"quadratic_kappa": (0.08, 0.06), "referable_auc": (0.04, 0.03)}
"""By how much a metric may be worse: on one source, and on the mean of the sources. On EyePACS, the smallest source,
the kappas of two equally good models differ by about 0.06 by the sampling of patients alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionDecision:
    """Whether the candidate may become the default; ``failures`` are sentences, none if it may."""

    failures: tuple[str, ...]
    comparison: Comparison

    @property
    def is_promoted(self) -> bool:
        return not self.failures


def promote(
    candidate: Bundle,
    current: Bundle,
    *,
    data: Path,
    cache: Path,
    pointer: Path = BUNDLES / "default.txt",
) -> PromotionDecision:
    """Compare, write comparison.json and comparison.md into the candidate's folder, and promote it if it is not worse.

    Then ``pointer`` names it, and its evaluation.json and the model cards are written. Raises BundleError if the two
    cannot be compared or the candidate is not beside the pointer.
    """
    if candidate.folder.resolve().parent != pointer.parent.resolve():
        raise BundleError(f"{candidate.folder} is not in {pointer.parent}: move it there, then promote it.")
    photos = shared_test_set(candidate, current, data=data, cache=cache)
    new, old = (predict(Grader.load(each.folder), photos) for each in (candidate, current))
    decision = non_inferiority_test((candidate, new), (current, old))
    _write_comparison(candidate, current, decision)
    if decision.is_promoted:
        write_evaluation(candidate.folder, build_evaluation(candidate, new))
        pointer.write_text(candidate.folder.name + "\n")
        write_card(candidate)
    return decision


def shared_test_set(candidate: Bundle, current: Bundle, *, data: Path, cache: Path) -> list[EvaluationPhoto]:
    """The photographs that neither bundle was trained on. Raises BundleError if their test splits differ."""
    photos = evaluation_photos(candidate, data=data, cache=cache)
    if _sources(candidate) != _sources(current):
        others = evaluation_photos(current, data=data, cache=cache)
        if fingerprint(photos, "test") != fingerprint(others, "test"):
            raise BundleError(
                f"{candidate.model_version} and {current.model_version} were trained on different splits: one may have "
                "been trained on the other's test split. Train the new one on the same sources."
            )
    return photos


def _sources(bundle: Bundle) -> list[str]:
    return sorted(bundle.training["stages"][-1]["sources"])


def compare_on_test_set(candidate: "Candidate", other: Bundle, *, data: Path, cache: Path) -> str:
    """Comparison with another bundle on the same test split, as a table in Markdown. Raises as shared_test_set does."""
    bundle, predictions = candidate
    shared_test_set(bundle, other, data=data, cache=cache)
    others = predict(Grader.load(other.folder), predictions.photos)
    return comparison_text(bundle, other, compare(candidate, (other, others)))


def non_inferiority_test(candidate: "Candidate", current: "Candidate") -> PromotionDecision:
    """Whether the candidate is worse beyond the margins on a source or on their mean."""
    comparison = compare(candidate, current)
    return PromotionDecision(failures=tuple(_failures(comparison)), comparison=comparison)


def _failures(comparison: Comparison) -> Iterator[str]:
    for source, differences in comparison.items():
        for name, margins in MARGINS.items():
            metric, difference, margin = METRICS[name], differences[name], margins[source == MEAN]
            values = f"{source}: {metric.title} {difference.first:.3f} against {difference.second:.3f}"
            if difference.low is None or difference.high is None:
                yield f"{values}, which has no interval: the test split is too small."
                continue
            sign = 1 if metric.is_higher_better else -1
            gain, (low, high) = sign * difference.value, sorted((sign * difference.low, sign * difference.high))
            if source == MEAN and low < -margin:
                yield f"{values}; it may be worse by {-low:.3f}, more than the margin of {margin:.2f}."
            elif source != MEAN and gain < -margin:
                yield f"{values}; it is worse by more than the margin of {margin:.2f}."
            elif high < 0:
                yield f"{values}; the whole interval of the difference is below zero."


def _write_comparison(candidate: Bundle, current: Bundle, decision: PromotionDecision) -> None:
    content = comparison_json(candidate, current, decision.comparison)
    content |= {"margins": MARGINS, "is_promoted": decision.is_promoted, "failures": list(decision.failures)}
    (candidate.folder / "comparison.json").write_text(compact_json(content))
    text = render(
        "comparison.md",
        candidate=candidate,
        decision=decision,
        margins={METRICS[name].title: margins for name, margins in MARGINS.items()},
        comparison=comparison_text(candidate, current, decision.comparison),
    )
    (candidate.folder / "comparison.md").write_text(text)
