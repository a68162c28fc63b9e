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
    photographs, accepted = content["training"]["photographs"], content["metrics"]["accepted_on_test"]
    eyeq = content["metrics"]["eyeq_test"]
    data = [("source", "label", "training", "validation", "test")]
    data += [(source, label, *n) for source, labels in photographs.items() for label, n in labels.items()]
    passed = [("source", "label", "photographs", "rules", "fusion")]
    passed += [
        (source, label, row["n"], f"{row['rules']:.1%}", f"{row['fusion']:.1%}")
        for source, labels in accepted.items()
        for label, row in labels.items()
    ]
    compared = [("score", "AUC, gradable against reject", "rejects accepted")]
    compared += [
        (title, with_interval(eyeq[f"auc_{name}"]), with_interval(eyeq[f"rejects_accepted_{name}"]))
        for name, title in SCORES.items()
    ]
    tables = {"data": table(data), "accepted": table(passed), "compared": table(compared)}
    return render("quality-card.md", **content, tables=tables, eyeq=eyeq, gain=with_interval(eyeq["auc_gain"]))
