"""Make a bundle the default, unless it is worse than the current one: ``python -m ml promote BUNDLE``.

Worse is judged on the test part by quadratic kappa and by the area under the curve of grade >= 2. On the mean of the
sources it is a test of non-inferiority (as in ICH E9): the 95 % interval of the difference must lie above minus the
margin. The test part of one source has too few photographs of disease for that, so there the difference itself must
not be beyond the margin, nor its interval wholly below zero.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.bundle import BUNDLES, Bundle, read_bundle
from ml.errors import BundleError
from ml.evaluation.compare import MEAN, Comparison, compare, comparison_json, comparison_text
from ml.evaluation.evaluate import as_json, describe, photos_for, write_evaluation
from ml.evaluation.predictions import EvaluationPhoto, LabelledPredictions, fingerprint, read
from ml.grader import Grader
from ml.metrics.bootstrap import N_RESAMPLES
from ml.release.model_card import write_cards

if TYPE_CHECKING:
    from collections.abc import Iterator

MARGINS = {"quadratic_kappa": (0.08, 0.06), "referable_auc": (0.04, 0.03)}
"""By how much a figure may be worse: on one source, and on the mean of the sources. On EyePACS, the
smallest source, two networks that are equally good differ in kappa by about 0.06 by the choice of people alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the candidate may become the default; ``reasons`` are sentences, none where it may."""

    reasons: tuple[str, ...]
    comparison: Comparison

    @property
    def is_promoted(self) -> bool:
        return not self.reasons


def promote(
    candidate: Bundle,
    current: Bundle,
    *,
    data: Path,
    cache: Path,
    pointer: Path = BUNDLES / "default.txt",
    n_resamples: int = N_RESAMPLES,
) -> Verdict:
    """Compare, write comparison.json, comparison.md and evaluation.json into the candidate's folder, and move
    ``pointer`` and the cards where the candidate is not worse.

    Raises BundleError where the two cannot be compared or the candidate is not beside the pointer.
    """
    if candidate.folder.resolve().parent != pointer.parent.resolve():
        raise BundleError(f"{candidate.folder} is not in {pointer.parent}: move it there, then promote it.")
    photos = shared_test_set(candidate, current, data=data, cache=cache)
    new, old = (read(Grader.load(each.folder), photos) for each in (candidate, current))
    verdict = judge((candidate, new), (current, old), n_resamples=n_resamples)
    _write(candidate, current, verdict)
    if verdict.is_promoted:
        write_evaluation(candidate.folder, describe(candidate, new, n_resamples=n_resamples))
        pointer.write_text(candidate.folder.name + "\n")
        write_cards(candidate)
    return verdict


def shared_test_set(candidate: Bundle, current: Bundle, *, data: Path, cache: Path) -> list[EvaluationPhoto]:
    """The photographs that neither bundle was trained on. Raises BundleError where their test parts differ."""
    photos = photos_for(candidate, data=data, cache=cache)
    if _sources(candidate) != _sources(current):
        others = photos_for(current, data=data, cache=cache)
        if fingerprint(photos, "test") != fingerprint(others, "test"):
            raise BundleError(
                f"{candidate.model_version} and {current.model_version} were trained on different splits: one may have "
                "been trained on the other's test part. Train the new one on the same sources."
            )
    return photos


def _sources(bundle: Bundle) -> list[list[str]]:
    return [sorted(stage["sources"]) for stage in bundle.training["stages"][-1:]]


def judge(
    candidate: tuple[Bundle, LabelledPredictions],
    current: tuple[Bundle, LabelledPredictions],
    *,
    n_resamples: int = N_RESAMPLES,
) -> Verdict:
    """Whether the candidate is worse beyond the margins anywhere."""
    comparison = compare(candidate, current, n_resamples=n_resamples)
    return Verdict(reasons=tuple(_shortfalls(comparison)), comparison=comparison)


def _shortfalls(comparison: Comparison) -> "Iterator[str]":
    for source, named in comparison.items():
        for figure, margins in MARGINS.items():
            difference, margin = named[figure], margins[source == MEAN]
            words = f"{source}: {figure.replace('_', ' ')} {difference.first:.3f} against {difference.second:.3f}"
            if difference.low is None or difference.high is None:
                yield f"{words}, which has no interval: the test part is too small."
            elif source == MEAN and difference.low < -margin:
                yield f"{words}; it may be worse by {-difference.low:.3f}, more than the margin of {margin:.2f}."
            elif source != MEAN and difference.value < -margin:
                yield f"{words}; it is worse by more than the margin of {margin:.2f}."
            elif difference.high < 0:
                yield f"{words}; the whole interval of the difference is below zero."


def _write(candidate: Bundle, current: Bundle, verdict: Verdict) -> None:
    content = comparison_json(candidate, current, verdict.comparison)
    content |= {"margins": MARGINS, "is_promoted": verdict.is_promoted, "reasons": list(verdict.reasons)}
    (candidate.folder / "comparison.json").write_text(as_json(content))
    outcome = "Not worse beyond the margins." if verdict.is_promoted else "Refused:"
    text = comparison_text(candidate, current, verdict.comparison)
    lines = [f"# {candidate.model_version} against the default", "", outcome, *(f"- {r}" for r in verdict.reasons), ""]
    margins = [
        f"{name.replace('_', ' ')} {one} on a source, {mean} on their mean" for name, (one, mean) in MARGINS.items()
    ]
    lines += [f"Margins: {'; '.join(margins)}.", "", text]
    (candidate.folder / "comparison.md").write_text("\n".join(lines))


def resolve_bundle(path: Path) -> Bundle:
    """The verified bundle of a folder, or of a name in ml/bundles."""
    return read_bundle(path if path.is_dir() else BUNDLES / path.name, verify=True)
