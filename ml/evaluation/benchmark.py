"""Start-up time, memory and speed of serving, compared with a baseline pipeline: ``python -m ml benchmark``.

The baseline decodes every pixel, crops by a threshold, resizes, runs the torch network, then pytorch-grad-cam with its
second forward and its backward pass. It has the same architecture with random weights, which changes no time. CPU time
is compared on one thread each, alternating photograph by photograph.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ml.bundle import Bundle
from ml.grader import Grader
from ml.metrics.markdown import table

N_ROUNDS = 8
Pipeline = Callable[[bytes], object]

START_UP = """
import json, resource, sys, time
started = time.perf_counter()
from ml.grader import Grader
from pathlib import Path
grader = Grader.load(Path(sys.argv[1]))
loaded = time.perf_counter()
grader.grade(Path(sys.argv[2]))
graded = time.perf_counter()
for photo in sys.argv[2:] * 3:
    grader.grade(Path(photo))
print(json.dumps({
    "load_s": loaded - started, "first_grade_s": graded - started,
    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def benchmark(bundle: Bundle, photos: list[Path]) -> str:
    """Measure on this machine; a table in Markdown."""
    start = start_up(bundle, photos)
    serve = partial(Grader.load(bundle.folder).grade, include_ungradable=True)
    serving, baseline = cpu_times_ms([serve, baseline_pipeline(bundle)], [photo.read_bytes() for photo in photos])
    ratios = [b / s for s, b in zip(serving, baseline, strict=True)]
    with Image.open(photos[0]) as first:
        megapixels = first.width * first.height / 1e6
    rows = [
        ["measure", "value"],
        ["import and load", f"{start['load_s']:.2f} s"],
        ["import, load and first grade", f"{start['first_grade_s']:.2f} s"],
        ["peak resident memory of the process", f"{start['memory_mb']:.0f} MB"],
        ["JPEG bytes to Prediction with heatmap, CPU time", f"{statistics.median(serving):.1f} ms per photograph"],
        ["photographs per second on one core", f"{1000 / statistics.median(serving):.0f}"],
        ["baseline pipeline, CPU time", f"{statistics.median(baseline):.1f} ms per photograph"],
        ["baseline / serving, median of pairs", f"{statistics.median(ratios):.1f}"],
    ]
    title = f"{bundle.model_version}, {len(photos)} photographs, the first of {megapixels:.1f} megapixels, one thread"
    return f"{title}\n\n{table(rows)}"


def start_up(bundle: Bundle, photos: list[Path]) -> dict[str, float]:
    """Load and first grade in a new process, in seconds, and its peak resident memory in MB."""
    command = [sys.executable, "-c", START_UP, str(bundle.folder), *map(str, photos)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    measured: dict[str, float] = json.loads(output)
    return measured


def cpu_times_ms(pipelines: Sequence[Pipeline], files: list[bytes]) -> list[list[float]]:
    """CPU milliseconds per photograph of each pipeline, alternating."""
    for file in files:  # not measured: the first calls allocate
        for pipeline in pipelines:
            pipeline(file)
    times: list[list[float]] = [[] for _ in pipelines]
    for _ in tqdm(range(N_ROUNDS), unit="round", disable=not sys.stderr.isatty()):
        for file in files:
            for pipeline, measured in zip(pipelines, times, strict=True):
                measured.append(_cpu_ms(pipeline, file))
    return times


def _cpu_ms(pipeline: Pipeline, file: bytes) -> float:
    """Processor time of all threads of this process during the call."""
    before = time.process_time()
    pipeline(file)
    return (time.process_time() - before) * 1000


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
