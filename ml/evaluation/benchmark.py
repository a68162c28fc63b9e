"""Start-up time, memory and speed of serving, compared with a baseline pipeline: ``python -m ml benchmark``.

The baseline decodes every pixel, crops by a threshold, resizes, runs the torch network, then pytorch-grad-cam with its
second forward and its backward pass. It has the same architecture with random weights, which changes no time. CPU time
is compared on one thread each, alternating photograph by photograph. So are forward passes at the input size of the
bundle and at that of earlier students, elapsed time on every processor.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from ml.bundle import Bundle
from ml.grader import Grader
from ml.metrics.markdown import Cells, column_table
from ml.serving.onnx_sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

N_ROUNDS = 8
REFERENCE_SIZE_PX = 288
N_IMAGES = 1000
N_TIMED, BATCH_SIZE, N_PROCESSORS = 64, 16, os.cpu_count() or 1
"""Photographs timed, and in one forward pass; the time is scaled to N_IMAGES."""
Pipeline = Callable[[bytes], object]

START_UP = """
import json, resource, sys, time
started = time.perf_counter()
from ml.grader import Grader
from pathlib import Path
n_bundles = int(sys.argv[1])
graders = [Grader.load(Path(folder)) for folder in sys.argv[2:2 + n_bundles]]
photos = [Path(photo) for photo in sys.argv[2 + n_bundles:]]
loaded = time.perf_counter()
graders[0].grade(photos[0])
graded = time.perf_counter()
for photo in photos * 3:
    for grader in graders:
        grader.grade(photo)
print(json.dumps({
    "load_s": loaded - started, "first_grade_s": graded - started,
    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
}))
"""


def benchmark(bundles: Sequence[Bundle], photos: list[Path]) -> str:
    """Measure on this machine; a table in Markdown with a column for each bundle."""
    starts = [start_up([bundle], photos) for bundle in bundles]  # first: a child process begins with our peak of memory
    together = start_up(bundles, photos)
    pipelines = [each for bundle in bundles for each in (serving_pipeline(bundle), baseline_pipeline(bundle))]
    times = call_times_ms(pipelines, [photo.read_bytes() for photo in photos])
    columns = [
        _column(bundle, start, serving, baseline)
        for bundle, start, serving, baseline in zip(bundles, starts, times[::2], times[1::2], strict=True)
    ]
    with Image.open(photos[0]) as first:
        megapixels = first.width * first.height / 1e6
    title = f"{len(photos)} photographs, the first of {megapixels:.1f} megapixels, one thread"
    memory = f"Peak resident memory of a process with all of them: {together['memory_mb']:.0f} MB"
    return f"{title}\n\n{column_table(columns)}\n{memory}\n"


def _column(bundle: Bundle, start: dict[str, float], serving: "CallTimes", baseline: "CallTimes") -> Cells:
    cpu_ms, baseline_ms = statistics.median(serving.cpu_ms), statistics.median(baseline.cpu_ms)
    ratios = [b / s for s, b in zip(serving.cpu_ms, baseline.cpu_ms, strict=True)]
    return {
        "measure": bundle.model_version,
        "import and load": f"{start['load_s']:.2f} s",
        "import, load and first grade": f"{start['first_grade_s']:.2f} s",
        "peak resident memory of the process": f"{start['memory_mb']:.0f} MB",
        "JPEG bytes to Prediction with heatmap, CPU time": f"{cpu_ms:.1f} ms per photograph",
        "the same, elapsed": f"{statistics.median(serving.elapsed_ms):.1f} ms per photograph",
        "photographs per second on one core": f"{1000 / cpu_ms:.0f}",
        "baseline pipeline, CPU time": f"{baseline_ms:.1f} ms per photograph",
        "baseline / serving, median of pairs": f"{statistics.median(ratios):.1f}",
        **_forward_cells(bundle),
    }


def _forward_cells(bundle: Bundle) -> Cells:
    times, reference = forward_rounds(bundle.architecture, (bundle.image_size, REFERENCE_SIZE_PX))
    ratios = [a / b for a, b in zip(times, reference, strict=True)]
    return {
        f"{N_IMAGES:,} forward passes on {N_PROCESSORS} processors": f"{min(times):.2f} s",
        f"the same at {REFERENCE_SIZE_PX} px": f"{min(reference):.2f} s",
        "ratio, median of pairs": f"{statistics.median(ratios):.2f}",
    }


def forward_rounds(architecture: str, sizes_px: Sequence[int]) -> list[list[float]]:
    """Seconds for N_IMAGES forward passes with heatmaps at each size, N_ROUNDS times, alternating."""
    import torch

    from ml.networks.architectures import build
    from ml.networks.gradcam import WithGradCAM
    from ml.networks.onnx_export import export_onnx

    network, sessions = WithGradCAM(build(architecture)), []
    with tempfile.TemporaryDirectory() as folder:
        for size_px in sizes_px:
            path = Path(folder) / f"{size_px}.onnx"
            export_onnx(network, torch.zeros(2, 3, size_px, size_px), path, outputs=["logits", "heatmaps"])
            sessions.append(open_session(path.read_bytes(), path, threads=N_PROCESSORS))
    rounds = [[forward_seconds(session, time.perf_counter) for session in sessions] for _ in range(N_ROUNDS)]
    return [list(times) for times in zip(*rounds, strict=True)]


def forward_seconds(session: "InferenceSession", clock: Callable[[], float]) -> float:
    """Time of the forward pass for N_IMAGES photographs."""
    (photos,) = session.get_inputs()
    batch = np.random.default_rng(0).normal(size=(BATCH_SIZE, *photos.shape[1:])).astype(np.float32)
    session.run(None, {photos.name: batch})  # not measured: the first call allocates
    before = clock()
    for _ in range(N_TIMED // BATCH_SIZE):
        session.run(None, {photos.name: batch})
    return (clock() - before) * N_IMAGES / N_TIMED


def start_up(bundles: Sequence[Bundle], photos: list[Path]) -> dict[str, float]:
    """Load bundles and grade in a new process: seconds, and its peak resident memory in MB.

    ``first_grade_s`` is the time until the first bundle has graded the first photograph.
    """
    arguments = [str(len(bundles)), *(str(bundle.folder) for bundle in bundles), *map(str, photos)]
    output = subprocess.run(  # noqa: S603
        [sys.executable, "-c", START_UP, *arguments], check=True, capture_output=True, text=True
    ).stdout
    measured: dict[str, float] = json.loads(output)
    return measured


@dataclass(frozen=True, slots=True)
class CallTimes:
    """Milliseconds of each call of one pipeline: processor time of all threads, and elapsed time."""

    cpu_ms: list[float] = field(default_factory=list)
    elapsed_ms: list[float] = field(default_factory=list)


def call_times_ms(pipelines: Sequence[Pipeline], files: list[bytes]) -> list[CallTimes]:
    """Times of each pipeline per photograph, alternating."""
    for file in files:  # not measured: the first calls allocate
        for pipeline in pipelines:
            pipeline(file)
    times = [CallTimes() for _ in pipelines]
    for _ in tqdm(range(N_ROUNDS), unit="round", disable=not sys.stderr.isatty()):
        for file in files:
            for pipeline, measured in zip(pipelines, times, strict=True):
                cpu_s, elapsed_s = time.process_time(), time.perf_counter()
                pipeline(file)
                measured.cpu_ms.append((time.process_time() - cpu_s) * 1000)
                measured.elapsed_ms.append((time.perf_counter() - elapsed_s) * 1000)
    return times


def crop_by_threshold(image: Image.Image) -> Image.Image:
    """The rectangle of a full-size RGB image that is brighter than the frame, padded to a square."""
    lit = np.asarray(image.convert("L")) > 10  # (H, W)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    if not len(rows):
        return image
    cropped = image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    side = max(cropped.size)
    square = Image.new("RGB", (side, side))
    square.paste(cropped, ((side - cropped.width) // 2, (side - cropped.height) // 2))
    return square


def serving_pipeline(bundle: Bundle) -> Pipeline:
    """The grader of a bundle. It grades ungradable photographs too, as the baseline does."""
    return partial(Grader.load(bundle.folder).grade, include_ungradable=True)


def baseline_pipeline(bundle: Bundle) -> Pipeline:
    """Full decoding, torch eager and pytorch-grad-cam, on one thread."""
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    from ml.networks.architectures import build, features_and_head

    torch.set_num_threads(1)
    network = build(bundle.architecture).eval()
    cam = GradCAM(model=network, target_layers=[list(features_and_head(network)[0].children())[-1]])

    def run(file: bytes) -> object:
        square = crop_by_threshold(Image.open(BytesIO(file)).convert("RGB"))
        resized = square.resize((bundle.image_size, bundle.image_size), Image.Resampling.BILINEAR)
        pixels = np.asarray(resized, np.float32) / 255
        scaled = (pixels - np.asarray(bundle.mean, np.float32)) / np.asarray(bundle.std, np.float32)  # (S, S, 3)
        photo = torch.from_numpy(scaled).permute(2, 0, 1).unsqueeze(0).contiguous()  # [1, 3, S, S]
        with torch.inference_mode():
            grade = int(network(photo).argmax())
        return np.asarray(cam(input_tensor=photo, targets=[ClassifierOutputTarget(grade)]))

    return run
