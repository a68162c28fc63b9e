"""docs/quality-card.md, written from quality_network.json alone: ``python -m ml.quality_card``."""

import json
from pathlib import Path
from typing import Any

from ml.metrics.markdown import table
from ml.serving.quality.network import DESCRIPTION

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "quality-card.md"
HEAD = ("source", "verdict")

TEXT = """# Quality gate: can this photograph be graded?

Rules over measures of the retina (`ml/quality.py`) and a small network (`ml/quality_network.py`) give one score; the
rules alone say why a photograph is refused, and what is no retina. The network is {architecture}, on
{side} x {side} pixels, {size:.2f} MB with weights in half precision, SHA-256 `{sha}`.
The score is a logistic function of the network's score, the rules' score and the rules' measures; {n_terms} weights and
the intercept were fitted on the validation part, the intercept so that there in no group (but EyePACS usable, of six)
fewer gradable photographs pass than by rules alone.

## Data
Training, validation and test photographs. Persons are in one part only, the one they have for the grading networks.
Good, usable and reject are readers' verdicts (EyeQ, CC BY-NC-SA 4.0, over EyePACS photographs); `graded` photographs
were graded by a reader, so nearly all of them can be graded. Copies put out of focus or darkened were rejects too.

{data}
## Accepted, test part
Half of these persons were seen when the rules were fitted, none by the network: the comparison favours the rules.

{accepted}
## EyeQ, test part
{n} photographs, {n_reject} rejects, counted where each score lets {share:.1%} of the good and usable pass, as
the rules do. In brackets 95 % intervals (bootstrap over persons).

{compared}
Gain in AUC over the rules: {gain}.
Known limits: readers' rejects come from EyePACS cameras alone, so the gate knows no other camera's way to fail but the
made-up ones; with few EyePACS rejects in the test part their share is rough.
"""


def card_text() -> str:
    """The card in Markdown."""
    said: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    metrics, eyeq = said["metrics"], said["metrics"]["eyeq_test"]
    return TEXT.format(
        architecture=said["architecture"],
        side=said["input_side_px"],
        size=said["weights"]["n_bytes"] / 1e6,
        sha=said["weights"]["sha256"],
        n_terms=len(said["score"]["terms"]),
        data=table([[*HEAD, "training", "validation", "test"], *_counts(said["training"]["photographs"])]),
        accepted=table([[*HEAD, "photographs", "rules", "with the network"], *_accepted(metrics)]),
        n=eyeq["n"],
        n_reject=eyeq["n_reject"],
        share=eyeq["gradable_accepted"],
        compared=table([["score", "AUC, gradable against reject", "rejects that pass"], *_compared(eyeq)]),
        gain=_interval(eyeq["auc_gain"]),
    )


def _counts(photographs: dict[str, dict[str, list[int]]]) -> list[list[str]]:
    return [[s, v, *map(str, n)] for s, verdicts in photographs.items() for v, n in verdicts.items()]


def _accepted(metrics: dict[str, Any]) -> list[list[str]]:
    return [
        [source, verdict, str(row["n"]), f"{row['rules']:.1%}", f"{row['learned']:.1%}"]
        for source, verdicts in metrics["accepted_on_test"].items()
        for verdict, row in verdicts.items()
    ]


def _compared(eyeq: dict[str, Any]) -> list[list[str]]:
    names = {"rules": "rules", "network": "network alone", "learned": "both"}
    return [[title, _interval(eyeq[f"auc_{k}"]), _interval(eyeq[f"rejects_passed_{k}"])] for k, title in names.items()]


def _interval(values: list[float]) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*values)


if __name__ == "__main__":
    DOCUMENTATION.write_text(card_text())
