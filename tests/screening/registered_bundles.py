"""Registered bundles and paired gradings of signed eyes, for tests of activations."""

import json
import shutil
from pathlib import Path

from django.utils import timezone

from ml.bundle import default_bundle, read_bundle
from screening.models import RegisteredBundle, ShadowGrading, Site, User
from screening.services import inference
from tests.builders import FAKE_VERSION
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    ReviewFactory,
)


def bundle_folder(models_dir: Path, *, name: str = "other", version: str = "1.0.0") -> Path:
    """A copy of the released fast bundle under another name, in a folder that is called by name and version."""
    folder = Path(shutil.copytree(default_bundle(), models_dir / f"{name}-{version}"))
    description = folder / "bundle.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | {"name": name, "version": version}))
    return folder


def registered(folder: Path, by: User) -> RegisteredBundle:
    """The row of a folder, without the checks of its registration."""
    return RegisteredBundle.objects.create(
        folder_name=folder.name,
        model_version=read_bundle(folder).model_version,
        description_sha256=inference.description_hash(folder),
        reason="release 1.0",
        created_by=by,
    )


def store_paired_eyes(
    site: Site, bundle: RegisteredBundle, *, signed: int, n: int, served: int, candidate: int, n_missed: int = 0
) -> None:
    """``n`` signed exams of one eye each, that both models graded; the candidate finds 0 in ``n_missed`` of them."""
    for i in range(n):
        exam = ExamFactory(patient__site=site, left_eye_absent_reason="prosthesis")
        EyeFindingFactory(review=ReviewFactory(exam=exam), grade=signed)
        image = FundusImageFactory(exam=exam)
        GradingFactory(image=image, is_done=True, grade=served, model_version=FAKE_VERSION)
        found = 0 if i < n_missed else candidate
        values = {"is_gradable": True, "grade": found, "p_referable": 0.5, "is_referable": found >= 2}
        ShadowGrading.objects.create(
            image=image, bundle=bundle, status="done", started_at=timezone.now(), finished_at=timezone.now(), **values
        )
