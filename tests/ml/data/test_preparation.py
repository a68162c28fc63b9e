"""``prepare``: crops once, goes on after a stop, keeps old caches, and reports what is wrong with the photographs."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.cli.main import main
from ml.data import cropping
from ml.data.cache import FundusDataset, cache_dir_of, load_dataset
from ml.data.cropping import crop, crop_all
from ml.data.labels import LabelledPhoto
from ml.data.preparation import prepare_data, usual_folders
from ml.data.readers import read_photos
from ml.data.report import inspect
from ml.data.tables import LabelError
from ml.errors import GradingError

N_PEOPLE = 30
SIDE_PX = 48


def drawn(seed: int) -> Image.Image:
    """A disc of 240 px with spots of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:240, :240]
    picture = np.zeros((240, 240, 3))
    disc = (x - 120) ** 2 + (y - 120) ** 2 < 110**2
    picture[disc] = rng.normal((170, 90, 50), 4, (int(disc.sum()), 3))
    for _ in range(30):
        cx, cy = rng.integers(45, 195, 2)
        picture[(x - cx) ** 2 + (y - cy) ** 2 < 90] = (40, 10, 8)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of EyePACS's layout, two eyes of each person, with one of every fault."""
    root = tmp_path_factory.mktemp("data")
    photos = root / "clinic" / "train"
    photos.mkdir(parents=True)
    rows = [(f"{n}_{eye}", n % 5) for n in range(N_PEOPLE) for eye in ("left", "right")]
    for i, (name, _) in enumerate(rows):
        drawn(i).save(photos / f"{name}.png")
    shutil.copy(photos / "3_left.png", photos / "11_right.png")  # the same file of another person, grade 3 and 1
    Image.open(photos / "4_left.png").resize((200, 200)).save(photos / "9_left.jpeg", quality=90)
    (photos / "9_left.png").unlink()  # 9_left is now a smaller copy of 4_left, both of grade 4
    (photos / "20_left.png").write_bytes(b"damaged")
    (photos / "21_left.png").unlink()
    Image.new("RGB", (96, 96)).save(photos / "22_left.png")
    with (root / "clinic" / "trainLabels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "level"), *rows])
    return root


@pytest.fixture
def data(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals, tmp_path / "data"))


@pytest.fixture(scope="module")
def prepared(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[FundusDataset, Path]:
    """The set and its cache, with a report in it."""
    cache = tmp_path_factory.mktemp("cache")
    prepare_data(originals, sources=None, side_px=SIDE_PX, cache=cache)
    return load_dataset([originals / "clinic"], side_px=SIDE_PX, cache=cache), cache


def test_what_the_data_set_says_of_each_photograph_comes_with_its_pixels(prepared: tuple[FundusDataset, Path]) -> None:
    retinas, _ = prepared
    assert len(retinas.photos) == len(retinas.grades) == 2 * N_PEOPLE - 3
    for i, photo in enumerate(retinas.photos):
        assert (photo.grade, photo.source) == (retinas.grades[i], retinas.sources[i])
        again = crop(photo.path, side_px=SIDE_PX).pixels
        assert again is not None
        assert (again == retinas.pixels[i]).all()
    assert {photo.eye for photo in retinas.photos} == {"left", "right"}


def test_the_report_names_every_fault(prepared: tuple[FundusDataset, Path]) -> None:
    place = next(path.parent for path in prepared[1].glob("*/report.json"))
    report = json.loads((place / "report.json").read_text())
    assert sum(sum(grades) for grades in report["counts"]["clinic"].values()) == 2 * N_PEOPLE - 3
    assert report["no_retina"] == ["clinic/train/22_left.png"]
    assert set(report["unreadable"]) == {"clinic/train/20_left.png", "clinic/train/21_left.jpeg"}
    assert "missing" in report["unreadable"]["clinic/train/21_left.jpeg"]
    same_file = {"clinic/train/3_left.png", "clinic/train/11_right.png"}
    smaller = {"clinic/train/4_left.png", "clinic/train/9_left.jpeg"}
    assert [set(names) for names in report["exact_copies"]] == [same_file]
    assert sorted(map(sorted, report["copies"])) == sorted(map(sorted, [same_file, smaller]))
    assert report["conflicts"] == [{"clinic/train/3_left.png": 3, "clinic/train/11_right.png": 1}]
    text = (place / "report.md").read_text()
    assert "## Copies with different grades: 1" in text
    assert "clinic/train/20_left.png: The" in text or "clinic/train/20_left.png: This" in text


def test_people_who_share_a_copy_are_in_one_part(prepared: tuple[FundusDataset, Path]) -> None:
    retinas, _ = prepared
    part_of = {photo.path.stem: int(part) for photo, part in zip(retinas.photos, retinas.splits, strict=True)}
    assert part_of["3_right"] == part_of["3_left"] == part_of["11_right"] == part_of["11_left"]
    assert part_of["4_right"] == part_of["9_right"]


def test_a_leak_stops_the_report(prepared: tuple[FundusDataset, Path]) -> None:
    retinas, cache = prepared
    parts = retinas.splits.copy()
    parts[0] = (parts[0] + 1) % 3
    retinas.splits[:], kept = parts, retinas.splits.copy()
    try:
        with pytest.raises(ValueError, match="two parts"):
            inspect(retinas, retinas.photos, place=cache)
    finally:
        retinas.splits[:] = kept


def test_a_second_call_reads_the_cache_and_changes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path / "cache")
    monkeypatch.setattr(cropping, "crop", lambda *_, **__: pytest.fail("cropped again"))
    again = load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path / "cache")
    assert (again.splits == first.splits).all()
    assert (again.groups == first.groups).all()


def test_a_stopped_call_goes_on_where_it_stopped(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path / "whole")
    monkeypatch.setattr(cropping, "N_AT_ONCE", 8)
    done: list[Path] = []

    def crop_until_the_power_fails(path: Path, *, side_px: int) -> cropping.Cropped:
        if len(done) == 21:
            raise KeyboardInterrupt
        done.append(path)
        return crop(path, side_px=side_px)

    with monkeypatch.context() as patch:
        patch.setattr(cropping, "crop", crop_until_the_power_fails)
        with pytest.raises(KeyboardInterrupt):
            load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path / "parts")
    assert not list((tmp_path / "parts").glob("*/rows.csv"))
    done.clear()

    def crop_and_count(path: Path, *, side_px: int) -> cropping.Cropped:
        done.append(path)
        return crop(path, side_px=side_px)

    monkeypatch.setattr(cropping, "crop", crop_and_count)
    parts = load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path / "parts")
    assert len(done) == 2 * N_PEOPLE - 16
    assert (parts.pixels == whole.pixels).all()
    assert [photo.path for photo in parts.photos] == [photo.path for photo in whole.photos]
    assert (parts.splits == whole.splits).all()
    assert [path.suffix for path in (tmp_path / "parts").iterdir()] == [""]


def test_several_processes_give_the_cache_of_one(originals: Path, tmp_path: Path) -> None:
    photos = read_photos(originals / "clinic")[:12]
    for name, n_workers in (("one", 1), ("two", 2)):
        crop_all(photos, side_px=SIDE_PX, place=tmp_path / name, n_workers=n_workers)
    for file in ("pixels.npy", "signatures.npy", "rows.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_cache_of_an_earlier_version_is_still_read(data: Path, tmp_path: Path) -> None:
    first = load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path)
    place = cache_dir_of(read_photos(data / "clinic"), side_px=SIDE_PX, cache=tmp_path)
    with (place / "rows.csv").open(newline="") as file:
        rows = [row[:4] for row in csv.reader(file)]
    with (place / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (place / "outcomes.json").unlink()
    again = load_dataset([data / "clinic"], side_px=SIDE_PX, cache=tmp_path)
    assert again.photos == first.photos
    assert (again.splits == first.splits).all()
    report = inspect(again, read_photos(data / "clinic"), place=place)
    assert report.no_retina == ["clinic/train/22_left.png"]
    assert len(report.unreadable) == 2


def test_the_recipe_of_the_cache_has_not_changed() -> None:
    """NB: another name here means that every cache is filled anew, and that networks lose their split with it."""
    photos = [LabelledPhoto("aptos2019", Path("any/where/a.jpg"), 2, "aptos2019:file:a.jpg", "good", eye="left")]
    assert cache_dir_of(photos, side_px=320, cache=Path()).name == "101b721b53e9fbe4"


def test_ungraded_photographs_are_counted_and_left_out(data: Path, tmp_path: Path) -> None:
    part = data / "ddr" / "DR_grading"
    (part / "train").mkdir(parents=True)
    for i, name in enumerate("abcd"):
        drawn(100 + i).save(part / "train" / f"{name}.jpg")
    (part / "train.txt").write_text("a.jpg 0\nb.jpg 5\nc.jpg 0\nd.jpg 0\n")
    text = prepare_data(data, sources=["ddr"], side_px=SIDE_PX, cache=tmp_path / "cache")
    assert "Left out because nobody graded them: ddr 1." in text


def test_files_of_one_name_in_two_folders_keep_their_own_labels(tmp_path: Path) -> None:
    for i in range(6):
        folder = tmp_path / "own" / "train" / ("0" if i < 3 else "3")
        folder.mkdir(parents=True, exist_ok=True)
        drawn(i).save(folder / f"{i % 3}.png")
    retinas = load_dataset([tmp_path / "own"], side_px=SIDE_PX, cache=tmp_path / "cache")
    assert [photo.path.parent.name for photo in retinas.photos] == ["0", "0", "0", "3", "3", "3"]
    assert retinas.grades.tolist() == [0, 0, 0, 3, 3, 3]


def test_photographs_without_any_retina_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dark").mkdir()
    Image.new("RGB", (90, 90)).save(tmp_path / "dark" / "a.png")
    (tmp_path / "dark" / "labels.csv").write_text("file,grade\na.png,0\n")
    with pytest.raises(GradingError, match="None of the photographs"):
        load_dataset([tmp_path / "dark"], side_px=SIDE_PX, cache=tmp_path / "cache")


def test_too_few_photographs_to_split_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "few").mkdir()
    drawn(1).save(tmp_path / "few" / "a.png")
    (tmp_path / "few" / "labels.csv").write_text("file,grade\na.png,0\n")
    assert main(["prepare", "--data", str(tmp_path), "--cache", str(tmp_path / "cache"), "--workers", "1"]) == 2
    assert "Too few photographs" in capsys.readouterr().err


def test_the_usual_sources_come_first_and_in_their_order(tmp_path: Path) -> None:
    for name in ("odir5k", "aptos2019", "another"):
        (tmp_path / name).mkdir()
    assert [folder.name for folder in usual_folders(tmp_path)] == ["aptos2019", "odir5k"]


def test_a_folder_without_data_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no data set of a known layout"):
        usual_folders(tmp_path)


def test_the_command_writes_report_and_contact_sheet(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--cache", str(tmp_path / "cache"), "--cache-size", "64", "--workers", "1"]
    assert main(["prepare", "--data", str(data), *arguments, "--output", str(tmp_path / "sheets" / "all.png")]) == 0
    assert "| clinic | train |" in capsys.readouterr().out
    with Image.open(tmp_path / "sheets" / "all.png") as sheet:
        assert sheet.width > 6 * 224
        assert sheet.height > 2 * 224  # the least and the most diseased photograph
        assert len(set(np.asarray(sheet)[360, 1200:1370].reshape(-1, 3)[:, 0].tolist())) > 20  # not an empty frame


def test_the_command_says_which_line_is_wrong(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (data / "clinic" / "trainLabels.csv").open("a") as file:
        file.write("77_left,9\n")
    assert main(["prepare", "--data", str(data), "--cache", str(tmp_path / "cache")]) == 2
    assert f"trainLabels.csv, line {2 * N_PEOPLE + 2}: grade '9'" in capsys.readouterr().err
