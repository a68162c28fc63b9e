"""Cost of a photograph by size and format: ``python -m ml benchmark --by-size``.

Real photographs are resized to each size, JPEG with the quantisation and sampling of the original; one of about the
size is taken as it is. Each is graded in turn with the plain pipeline of ``benchmark`` and with the least that any
decoder does: the entropy decoding of the JPEG (every scan, at 1/8 of the size, in grey), or inflating the PNG.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
import simplejpeg
from PIL import Image, JpegImagePlugin

from ml.bundle import Bundle
from ml.evaluation.benchmark import N_IMAGES, N_PROCESSORS, Pipeline, baseline_pipeline, serving_pipeline
from ml.grader import load_session
from ml.metrics.markdown import Cells, row_table
from ml.serving.files.segments import png_chunks
from ml.serving.preprocess import FundusCrop, crop_fundus, decode, network_input
from ml.serving.quality.gate import assess_quality

MEGAPIXELS = (0.4, 3.0, 12.0, 45.0)
FORMATS = ("JPEG", "PNG")
N_ROUNDS = 5
SAME_SIZE = 0.1
"""Relative difference up to which a JPEG is not resized."""
THROUGHPUT_S = 6.0
STAGES = ("decode", "field of view", "quality", "network", "heatmap")
THROUGHPUT = """
import sys, time
from pathlib import Path
from ml.grader import Grader
grader, photos, n = Grader.load(Path(sys.argv[1])), [Path(one).read_bytes() for one in sys.argv[3:]], 0
for photo in photos:
    grader.grade(photo, include_ungradable=True)
print("ready", flush=True)
sys.stdin.readline()
until = time.perf_counter() + float(sys.argv[2])
while time.perf_counter() < until:
    grader.grade(photos[n % len(photos)], include_ungradable=True)
    n += 1
print(n)
"""


@dataclass(frozen=True, slots=True)
class SizedPhotos:
    """Files of one size and format."""

    megapixels: float
    format: str
    files: list[bytes]


def sized_photos(photos: Sequence[Path]) -> Iterator[SizedPhotos]:
    """The photographs in each size and format."""
    for megapixels in MEGAPIXELS:
        for format_ in FORMATS:
            yield SizedPhotos(megapixels, format_, [sized(photo.read_bytes(), megapixels, format_) for photo in photos])


def sized(photo: bytes, megapixels: float, format_: str) -> bytes:
    """A photograph of about ``megapixels`` in a format."""
    with Image.open(BytesIO(photo)) as image:
        factor = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        is_same = abs(factor**2 - 1) < SAME_SIZE
        if is_same and image.format == format_:
            return photo
        as_original = (
            {"qtables": image.quantization, "subsampling": JpegImagePlugin.get_sampling(image)}
            if format_ == "JPEG" and isinstance(image, JpegImagePlugin.JpegImageFile)
            else {}
        )
        size = (round(image.width * factor), round(image.height * factor))
        pixels = image.convert("RGB")
        resized = pixels if is_same else pixels.resize(size, Image.Resampling.LANCZOS)
    written = BytesIO()
    resized.save(written, format_, **as_original)
    return written.getvalue()


def least_decoding(file: bytes) -> object:
    """What no decoder can leave out: the entropy decoding of a JPEG, or the inflating of a PNG."""
    if file[:2] != b"\xff\xd8":
        return zlib.decompress(b"".join(body for name, body in png_chunks(file) if name == b"IDAT"))
    return simplejpeg.decode_jpeg(file, colorspace="GRAY", fastdct=True, min_height=1, min_width=1, min_factor=8)


class Stages:
    """The steps of grading with a bundle, one by one."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._session = load_session(bundle)
        self._only_logits = onnxruntime.RunOptions()
        self._only_logits.only_execute_path_to_fetches = True

    def times_ms(self, file: bytes) -> list[float]:
        """Processor time of each of STAGES for one file."""
        side = self._bundle.image_size
        crop = crop_fundus(file, side_px=side)
        decode_ms = cpu_ms(lambda: decode(file, min_side_px=side))
        crop_ms = cpu_ms(lambda: crop_fundus(file, side_px=side))
        quality_ms = cpu_ms(lambda: assess_quality(crop))
        if crop is None:
            return [decode_ms, crop_ms - decode_ms, quality_ms, 0.0, 0.0]
        logits_ms = cpu_ms(lambda: self._run(crop, ["logits"]))
        all_ms = cpu_ms(lambda: self._run(crop, None))
        return [decode_ms, max(0.0, crop_ms - decode_ms), quality_ms, logits_ms, max(0.0, all_ms - logits_ms)]

    def _run(self, crop: FundusCrop, outputs: list[str] | None) -> object:
        photos = network_input(crop, mean=self._bundle.mean, std=self._bundle.std)[None]
        return self._session.run(outputs, {"photos": photos}, self._only_logits)


def cpu_ms(function: Callable[[], object]) -> float:
    """Processor time of one call."""
    before = time.process_time()
    function()
    return (time.process_time() - before) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Median processor time of a photograph in milliseconds, and medians of the ratios of pairs."""

    photos: SizedPhotos
    serving_ms: float
    plain_ms: float
    least_ms: float
    stages_ms: tuple[float, ...]
    plain_over_serving: float
    serving_over_least: float

    @property
    def name(self) -> str:
        return f"{self.photos.megapixels:g} MP {self.photos.format}"

    def cells(self) -> Cells:
        """The row of the table but for the throughput."""
        stages = zip(STAGES, self.stages_ms, strict=True)
        return {
            "size": self.name,
            "file": f"{statistics.mean(map(len, self.photos.files)) / 1e6:.1f} MB",
            "CPU time": f"{self.serving_ms:.1f} ms",
            **{name: f"{100 * ms / self.serving_ms:.0f} %" for name, ms in stages},
            "plain / serving": f"{self.plain_over_serving:.1f}",
            "plain": f"{self.plain_ms:.0f} ms",
            "least decoding": f"{self.least_ms:.1f} ms",
            "serving / least": f"{self.serving_over_least:.1f}",
        }

    def floor(self) -> str:
        """The limits that a decoder without any cost beyond the least decoding would reach."""
        fixed_ms = self.serving_ms - self.stages_ms[0]
        floor_ms = fixed_ms + self.least_ms
        return (
            f"{self.name}: {fixed_ms:.1f} ms without the decoding, {floor_ms:.1f} ms with the least decoding. No other "
            f"decoder gives more than {self.plain_ms / floor_ms:.1f} for plain / serving, or less than "
            f"{floor_ms / self.least_ms:.1f} for serving / least."
        )


def benchmark_sizes(bundle: Bundle, photos: Sequence[Path]) -> str:
    """Measure on this machine; a table in Markdown with a row for each size and format, and what limits it."""
    stages, serving, baseline = Stages(bundle), serving_pipeline(bundle), baseline_pipeline(bundle)
    rows, floors = [], []
    for sized in sized_photos(photos):
        costs = _costs(sized, stages, serving, baseline)
        rates = {f"{n} processes": f"{throughput(bundle, sized.files, n):.1f} /s" for n in (1, 2)}
        rows.append({**costs.cells(), **rates})
        floors += [costs.floor()] if sized.format == "JPEG" else []
    title = (
        f"{bundle.model_version}, {len(photos)} photographs, median of {N_ROUNDS} rounds, {os.cpu_count()} processors"
    )
    return "\n\n".join([title, row_table(rows), *floors, forward_floor(bundle)])


def _costs(photos: SizedPhotos, stages: Stages, serving: Pipeline, baseline: Pipeline) -> Costs:
    times: list[list[float]] = []
    for number in range(N_ROUNDS + 1):
        for file in photos.files:
            alternating = [cpu_ms(partial(run, file)) for run in (serving, baseline, least_decoding)]
            if number:  # the first calls allocate
                times.append([*alternating, *stages.times_ms(file)])
    serving_ms, plain_ms, least_ms, *stages_ms = np.median(np.array(times), axis=0).tolist()
    return Costs(
        photos=photos,
        serving_ms=serving_ms,
        plain_ms=plain_ms,
        least_ms=least_ms,
        stages_ms=tuple(stages_ms),
        plain_over_serving=statistics.median(row[1] / row[0] for row in times),
        serving_over_least=statistics.median(row[0] / row[2] for row in times),
    )


def forward_floor(bundle: Bundle) -> str:
    """Time of forward passes, and the least for their operations at the rate of a matrix product."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from ml.networks.architectures import build

    size = (1, 3, bundle.image_size, bundle.image_size)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        build(bundle.architecture).eval()(torch.zeros(size))
    n_operations = counter.get_total_flops()
    session, photo, matrix = load_session(bundle), np.zeros(size, np.float32), np.ones((1024, 1024), np.float32)
    # NB: one after the other: the threads of the product still compute for a moment after it, in the other's time
    forward_ms, product_ms = (
        statistics.median(cpu_ms(call) for _ in range(10 * N_ROUNDS))
        for call in (lambda: session.run(None, {"photos": photo}), lambda: matrix @ matrix)
    )
    least_ms = product_ms * n_operations / (2 * 1024**3)
    seconds = [ms * N_IMAGES / 1000 / N_PROCESSORS for ms in (forward_ms, least_ms)]
    return (
        f"A forward pass takes {forward_ms:.1f} ms of a core: {N_IMAGES:,} of them at least {seconds[0]:.2f} s on "
        f"{N_PROCESSORS} processors. At the rate of a matrix product on this machine "
        f"({n_operations / least_ms / 1e6:.0f} GFLOP/s) its {n_operations / 1e9:.2f} GFLOP take {least_ms:.1f} ms: "
        f"{seconds[1]:.2f} s."
    )


def throughput(bundle: Bundle, files: Sequence[bytes], n_processes: int) -> float:
    """Photographs a second of several processes that grade at once, each with one thread."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / str(number) for number in range(len(files))]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file)
        command = [sys.executable, "-c", THROUGHPUT, str(bundle.folder), str(THROUGHPUT_S), *map(str, paths)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(command, **pipes) for _ in range(n_processes)]  # type: ignore[call-overload]  # noqa: S603
        for process in processes:
            process.stdout.readline()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        counts = [int(process.communicate()[0]) for process in processes]
    return sum(counts) / THROUGHPUT_S
