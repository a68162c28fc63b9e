"""Start-up, memory and speed of serving, beside the plain pipeline, in one run: ``python -m ml benchmark``.

The plain pipeline is what a first version of such a system does: decode every pixel, crop by a threshold, scale, run
the torch network, then pytorch-grad-cam with its second forward and its backward pass. It carries the same architecture
(with other weights, which changes no time). CPU time is compared, on one thread each, in turn photograph by photograph.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ml.bundle import Bundle
from ml.grader import Grader

N_ROUNDS = 8

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
    "torch": any(name.split(".")[0] == "torch" for name in sys.modules),
}))
"""


def benchmark(bundle: Bundle, photos: list[Path]) -> str:
    """A table in Markdown of what was measured just now on this machine."""
    start = start_up(bundle, photos)
    files = [photo.read_bytes() for photo in photos]
    grader = Grader.load(bundle.folder)
    ours, plain, entropy = compare(grader, files, plain_pipeline(bundle))
    ratios = [p / o for o, p in zip(ours, plain, strict=True)]
    with Image.open(photos[0]) as first:
        megapixels = first.width * first.height / 1e6
    lines = [
        f"{bundle.model_version}, {len(photos)} photographs, the first of {megapixels:.1f} megapixels, one thread",
        "",
        "| measure | value |",
        "|---|---|",
        f"| import and load | {start['load_s']:.2f} s |",
        f"| import, load and first grade | {start['first_grade_s']:.2f} s |",
        f"| torch in the serving process | {'yes' if start['torch'] else 'no'} |",
        f"| largest resident memory of the process | {start['memory_mb']:.0f} MB |",
        f"| JPEG bytes to Prediction with heatmap, CPU | {statistics.median(ours):.1f} ms a photograph |",
        f"| photographs a second on one core | {1000 / statistics.median(ours):.0f} |",
        f"| plain pipeline, CPU | {statistics.median(plain):.1f} ms a photograph |",
        f"| plain / ours, median of pairs | {statistics.median(ratios):.1f} |",
        f"| reading the JPEG at 1/8 alone, CPU | {statistics.median(entropy):.1f} ms a photograph |",
    ]
    return "\n".join(lines)


def start_up(bundle: Bundle, photos: list[Path]) -> dict[str, float]:
    """Load and first grade in a fresh process, in seconds, and its largest resident memory in MB."""
    command = [sys.executable, "-c", START_UP, str(bundle.folder), *map(str, photos)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout  # noqa: S603
    measured: dict[str, float] = json.loads(output)
    return measured


def compare(
    grader: Grader, files: list[bytes], plain: Callable[[bytes], object]
) -> tuple[list[float], list[float], list[float]]:
    """CPU milliseconds a photograph of our pipeline, the plain one, and reading the JPEG alone, taken in turn."""
    ours, theirs, entropy = [], [], []
    for file in files:  # not counted: first calls allocate
        grader.grade(file)
        plain(file)
    for _ in tqdm(range(N_ROUNDS), unit="round", disable=not sys.stderr.isatty()):
        for file in files:
            ours.append(cpu_ms(lambda f=file: grader.grade(f, even_if_ungradable=True)))  # type: ignore[misc]
            theirs.append(cpu_ms(lambda f=file: plain(f)))  # type: ignore[misc]
            entropy.append(cpu_ms(lambda f=file: read_smallest(f)))  # type: ignore[misc]
    return ours, theirs, entropy


def cpu_ms(call: Callable[[], object]) -> float:
    """Processor time of all threads of this process during the call, in milliseconds."""
    before = time.process_time()
    call()
    return (time.process_time() - before) * 1000


def read_smallest(file: bytes) -> Image.Image:
    """Decode a JPEG at an eighth of its size: little more than undoing the entropy coding."""
    image = Image.open(BytesIO(file))
    image.draft("RGB", (image.width // 8, image.height // 8))
    image.load()
    return image


def crop_by_threshold(image: Image.Image) -> Image.Image:
    """The rectangle of a full-size RGB picture that is brighter than the frame, padded to a square."""
    lit = np.asarray(image.convert("L")) > 10  # (H, W)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    if not len(rows):
        return image
    part = image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    side = max(part.size)
    square = Image.new("RGB", (side, side))
    square.paste(part, ((side - part.width) // 2, (side - part.height) // 2))
    return square


def plain_pipeline(bundle: Bundle) -> Callable[[bytes], object]:
    """Full decode, torch eager and pytorch-grad-cam, on one thread."""
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    from ml.networks.architectures import build, features_and_head

    torch.set_num_threads(1)
    network = build(bundle.architecture).eval()
    cam = GradCAM(model=network, target_layers=[list(features_and_head(network)[0].children())[-1]])

    def run(file: bytes) -> object:
        square = crop_by_threshold(Image.open(BytesIO(file)).convert("RGB"))
        pixels = (
            np.asarray(square.resize((bundle.side_px, bundle.side_px), Image.Resampling.BILINEAR), np.float32) / 255
        )
        scaled = (pixels - np.asarray(bundle.mean, np.float32)) / np.asarray(bundle.std, np.float32)  # (S, S, 3)
        photo = torch.from_numpy(scaled).permute(2, 0, 1).unsqueeze(0).contiguous()  # [1, 3, S, S]
        with torch.inference_mode():
            grade = int(network(photo).argmax())
        return np.asarray(cam(input_tensor=photo, targets=[ClassifierOutputTarget(grade)]))

    return run
