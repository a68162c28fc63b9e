"""The child process of a check: ``python -m ml.bundle_check_child FOLDER``.

It checks description and hashes of a bundle, loads the network and grades one synthetic photograph. Its last line of
output is JSON: the version of the model, or the problem.
"""

import json
import resource
import sys
from pathlib import Path

from ml.errors import BundleError
from ml.grader import Grader
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality

MAX_MEMORY_BYTES = 6_000_000_000
"""Of addresses, of which ONNX Runtime reserves far more than it uses."""
MAX_CPU_S = 60


def _limit() -> None:
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))


def _check(folder: Path) -> dict[str, str]:
    grader = Grader.load(folder)
    photo = draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=1))
    prediction = grader.grade(photo, include_ungradable=True)
    if prediction.probabilities is None or abs(sum(prediction.probabilities) - 1) > 1e-6:
        return {"problem": "Its probabilities do not sum to 1."}
    return {"model_version": grader.bundle.model_version}


def main() -> None:
    """Print the result of the check of the folder that is named."""
    _limit()
    try:
        result = _check(Path(sys.argv[1]))
    except (BundleError, OSError, ValueError) as error:
        result = {"problem": str(error)}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
