"""The cost by size: files of each size and format, each graded beside the plain pipeline and the least decoding."""

import functools
import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ml.bundle import default_bundles, read_bundle
from ml.errors import GradingError
from ml.evaluation import size_benchmark as module
from ml.evaluation.size_benchmark import Costs, SizedPhotos, Stages, benchmark_sizes, least_decoding, sized, throughput
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality, ServedModel


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "a.jpg"
    image = draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=1))
    image.resize((600, 600)).save(path, quality=80, subsampling=2)
    return path


@pytest.mark.parametrize("format_", module.FORMATS)
@pytest.mark.parametrize("megapixels", [0.1, 0.5])
def test_a_photograph_is_resized(photo: Path, megapixels: float, format_: str) -> None:
    with Image.open(BytesIO(sized(photo.read_bytes(), megapixels, format_))) as image, Image.open(photo) as original:
        assert image.format == format_
        assert image.width * image.height == pytest.approx(megapixels * 1e6, rel=0.01)
        tables = [getattr(one, "quantization", None) for one in (image, original)]
        assert format_ == "PNG" or tables[0] == tables[1]


def test_a_jpeg_of_about_the_size_is_taken_as_it_is(photo: Path) -> None:
    assert sized(photo.read_bytes(), 0.37, "JPEG") == photo.read_bytes()


@pytest.mark.parametrize("format_", module.FORMATS)
def test_the_least_decoding_reads_the_whole_file(photo: Path, format_: str) -> None:
    file = sized(photo.read_bytes(), 0.1, format_)
    assert least_decoding(file) is not None
    with pytest.raises((ValueError, GradingError)):
        least_decoding(file[: len(file) // 2])


@pytest.mark.usefixtures("released_bundle")
def test_each_size_and_format_has_a_row(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = read_bundle(default_bundles()[ServedModel.FAST])
    monkeypatch.setattr(module, "MEGAPIXELS", (0.2, 0.36))
    monkeypatch.setattr(module, "N_ROUNDS", 1)
    monkeypatch.setattr(module, "baseline_pipeline", lambda _bundle: lambda _file: sum(range(100_000)))
    monkeypatch.setattr(module, "THROUGHPUT_S", 0.2)
    # Each number of processes is timed once, not for each row: most of a time is their start.
    rate = functools.cache(lambda n_processes: throughput(bundle, [photo.read_bytes()], n_processes))
    monkeypatch.setattr(module, "throughput", lambda _bundle, _files, n_processes: rate(n_processes))
    text = benchmark_sizes(bundle, [photo])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    sizes = [line.split("|")[1].strip() for line in lines[2:]]
    assert sizes == ["0.2 MP JPEG", "0.2 MP PNG", "0.36 MP JPEG", "0.36 MP PNG"]
    assert all(float(line.split("|")[3].split()[0]) > 0 for line in lines[2:])
    assert text.count("with the least decoding") == 2  # of the JPEG
    gflop = re.search(r"its ([0-9.]+) GFLOP", text)
    assert gflop
    assert float(gflop[1]) == pytest.approx(0.33, abs=0.02)  # 0.11 at 224 pixels (torchvision)


def test_the_floor_has_the_least_decoding_in_place_of_the_decoding() -> None:
    costs = Costs(
        photos=SizedPhotos(12.0, "JPEG", [b""]),
        serving_ms=40.0,
        plain_ms=306.0,
        least_ms=6.0,
        stages_ms=(10.0, 9.0, 8.0, 7.0, 1.0),
        plain_over_serving=7.6,
        serving_over_least=6.7,
    )
    numbers = re.findall(r"[0-9]+\.[0-9]", costs.floor())
    assert numbers == ["30.0", "36.0", "8.5", "6.0"]


@pytest.mark.usefixtures("released_bundle")
def test_the_steps_of_a_photograph_without_a_retina_end_before_the_network(tmp_path: Path) -> None:
    black = BytesIO()
    Image.new("RGB", (400, 400)).save(black, "JPEG")
    times = Stages(read_bundle(default_bundles()[ServedModel.FAST])).times_ms(black.getvalue())
    assert len(times) == len(module.STAGES)
    assert times[3:] == [0.0, 0.0]
