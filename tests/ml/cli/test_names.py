"""Names of files on the command line: they may hold anything, and the terminal gets none of it raw."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ml.cli.main import main
from ml.cli.names import MAX_STEM_BYTES, overlay_names, printable_name
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality

HOSTILE = "\x1b[31mred\r\n\u202egpj.jpg"


@pytest.fixture(scope="module")
def fundus(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("fundus") / "a.jpg"
    draw_fundus(drawing_for_grade(ICDRGrade.SEVERE, Laterality.LEFT, seed=2)).save(file, quality=92)
    return file.read_bytes()


@pytest.mark.parametrize("name", [HOSTILE.encode(), b"\xff\xfe.jpg"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_hostile_name_is_escaped(
    name: bytes, options: list[str], fundus: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / os.fsdecode(name)
    file.write_bytes(fundus)
    assert main(["grade", str(tmp_path), str(tmp_path / "missing\x1b[31m"), *options]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(char.isprintable() for line in lines for char in line)
    if options:
        assert json.loads(lines[0])["file"] == str(file)
    else:
        assert lines[0].startswith(f"{printable_name(file)}: grade ")


def make_fifo(path: Path) -> None:
    """A pipe that ends as soon as it is opened, so that opening it fails the test and does not block it."""
    os.mkfifo(path)
    threading.Thread(target=lambda: path.open("wb").close(), daemon=True).start()


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.parametrize("make", [make_fifo, make_link_to_device])
@pytest.mark.parametrize("is_named", [True, False])
def test_what_is_no_regular_file_is_not_opened(
    make: Callable[[Path], None], is_named: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "a.jpg")
    assert main(["grade", str(tmp_path / "a.jpg" if is_named else tmp_path)]) == (1 if is_named else 3)
    assert "This is not a regular file" in capsys.readouterr().out


def test_a_name_that_is_too_long_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(tmp_path / ("n" * 300))]) == 1
    assert ": not read. " in capsys.readouterr().out


@pytest.mark.parametrize("output", ["file", "file/below", "/proc/nothing", "n" * 300])
def test_an_output_that_is_no_folder_is_refused_before_grading(
    output: str, tmp_path: Path, fundus: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "a.jpg").write_bytes(fundus)
    assert main(["grade", str(tmp_path / "a.jpg"), "--output", str(tmp_path / output)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Name a folder in which files can be written." in printed.err


def test_an_empty_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", ""]) == 2
    assert "is empty" in capsys.readouterr().err


def test_an_error_of_the_system_has_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bundle.json").mkdir()
    (tmp_path / "file").touch()
    assert main(["prepare", "--data", str(tmp_path / "file"), "--sources", "x\x1b[31m"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "\x1b" not in error


def test_overlays_of_equal_names_differ_on_every_file_system(tmp_path: Path, fundus: bytes) -> None:
    photos = [tmp_path / name for name in ("a/x/1.jpg", "b/x/1.jpg", "c/1.JPG", "c/2.png", "c/" + "n" * 250 + ".jpg")]
    names = overlay_names([*photos, photos[0]])
    assert len({name.casefold() for name in names.values()}) == len(photos)
    assert names[photos[2]] == "c-1.JPG.png"
    assert names[photos[3]] == "2.png"
    assert all(len(name.encode()) <= MAX_STEM_BYTES + len("-.png") + 12 for name in names.values())
    assert overlay_names([Path(HOSTILE)])[Path(HOSTILE)] == "_[31mred___gpj.png"
