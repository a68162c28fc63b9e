"""Model card of the quality gate, generated from its network.json."""

import json
from pathlib import Path
from typing import Any

from ml.metrics.markdown import table, with_interval
from ml.release.rendering import render
from ml.serving.quality.gate import DESCRIPTION, FOLDER

QUALITY_CARD = Path(__file__).parents[2] / "docs" / "quality-card.md"
SCORES = {"rules": "rules", "network": "network alone", "fusion": "fusion"}


def card_text() -> str:
    """The card in Markdown."""
    content: dict[str, Any] = json.loads((FOLDER / DESCRIPTION).read_text())
    photographs, metrics = content["training"]["photographs"], content["metrics"]
    data = [("source", "label", "training", "validation", "test")]
    data += [(source, label, *n) for source, labels in photographs.items() for label, n in labels.items()]
    gain = with_interval(metrics["eyeq_test"]["auc_gain"])
    tables = {"data": table(data), **metrics_tables(metrics)}
    return render("quality-card.md", **content, tables=tables, eyeq=metrics["eyeq_test"], gain=gain)


def metrics_tables(metrics: dict[str, Any]) -> dict[str, str]:
    """Photographs accepted by source and label, and the scores compared on EyeQ."""
    accepted = [("source", "label", "photographs", "rules", "fusion")]
    accepted += [
        (source, label, row["n"], f"{row['rules']:.1%}", f"{row['fusion']:.1%}")
        for source, labels in metrics["accepted_on_test"].items()
        for label, row in labels.items()
    ]
    eyeq = metrics["eyeq_test"]
    compared = [("score", "AUC, gradable against reject", "rejects accepted")]
    compared += [
        (title, with_interval(eyeq[f"auc_{name}"]), with_interval(eyeq[f"rejects_accepted_{name}"]))
        for name, title in SCORES.items()
    ]
    return {"accepted": table(accepted), "compared": table(compared)}
