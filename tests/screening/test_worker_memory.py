"""A worker keeps both models in less memory than docker-compose.yml allows for a process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality
from tests.screening.processes import environment

MAX_MB = 600
GRADE_WITH_BOTH = """
import sys
from pathlib import Path
import django
django.setup()
import drsite.celery, screening.tasks
from django.conf import settings
from screening.services import inference
for _ in range(3):
    for model in settings.GRADING_MODELS:
        grader = inference.current_grader(model)
        print(grader.grade(Path(sys.argv[1])).model_version)
print(Path("/proc/self/status").read_text())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_a_worker_with_both_models_stays_below_its_limit(tmp_path: Path) -> None:
    photo = tmp_path / "synthetic.jpg"
    drawing = drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=1)
    draw_fundus(drawing).resize((4288, 4288)).save(photo, quality=90)  # as large as a photograph of a recent camera
    command = [sys.executable, "-c", GRADE_WITH_BOTH, str(photo)]
    variables = environment(f"sqlite:///{tmp_path / 'none.sqlite3'}", DJANGO_SETTINGS_MODULE="drsite.settings")
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=variables).stdout
    assert len(set(output.splitlines()[:6])) == 2, "both models graded"
    peak = re.search(r"VmHWM:\s+(\d+) kB", output)
    assert peak is not None
    peak_mb = int(peak[1]) * 1024 / 1e6
    assert 200 < peak_mb < MAX_MB
