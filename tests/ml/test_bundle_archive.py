"""An archive of a bundle is unpacked under the names of a bundle alone, within limits."""

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ml import bundle_archive_child
from ml.bundle_archive_child import MAX_ENTRIES, unpack
from ml.bundle_check import unpack_bundle
from ml.errors import BundleError

FILES = ("bundle.json", "model.onnx", "weights.safetensors")
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes an archive of the three files under ``prefix``, with more entries."""

    def make_archive(
        *more: "tuple[str | zipfile.ZipInfo, bytes]", prefix: str = "", files: tuple[str, ...] = FILES
    ) -> Path:
        file = tmp_path / "bundle.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in files:
                archive.writestr(prefix + name, name)
            for entry, content in more:
                archive.writestr(entry, content)
        return file

    return make_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


@pytest.mark.parametrize("prefix", ["", "student-1.0.0/"])
def test_it_is_unpacked_by_a_child_process(make: Make, folder: Path, prefix: str) -> None:
    unpack_bundle(make((f"{prefix}model-card.md", b"# A model"), prefix=prefix), folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        **{name: name for name in FILES},
        "model-card.md": "# A model",
    }


def _link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("model-card.md")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("../model-card.md", "lead out"),
        ("/model-card.md", "lead out"),
        ("a/../../model-card.md", "lead out"),
        ("..\\model-card.md", "lead out"),
        ("C:model-card.md", "lead out"),
        (_link(), "has links"),
        ("other.txt", "no bundle has"),
        ("a/b/model-card.md", "no bundle has"),
        ("a/bundle.json", "twice"),
        ("a/model-card.md", "several folders"),
    ],
)
def test_other_entries_are_refused_and_nothing_is_written_elsewhere(
    make: Make, folder: Path, entry: "str | zipfile.ZipInfo", problem: str
) -> None:
    with pytest.raises(BundleError, match=problem):
        unpack_bundle(make((entry, b"x")), folder)
    assert sorted(file.name for file in folder.parent.iterdir()) == ["bundle.zip", "target"]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("missing", FILES)
def test_an_incomplete_bundle_is_refused(make: Make, folder: Path, missing: str) -> None:
    with pytest.raises(BundleError, match=missing):
        unpack(make(files=tuple(name for name in FILES if name != missing)), folder)


def test_real_sizes_and_the_number_of_files_are_limited(
    make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BundleError, match=f"more than {MAX_ENTRIES} files"):
        unpack(make(*((f"{i}.md", b"x") for i in range(MAX_ENTRIES))), folder)
    monkeypatch.setitem(bundle_archive_child.NAMES, "model-card.md", 1000)
    archive = make(("model-card.md", b"0" * 100_000))
    content = archive.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    archive.write_bytes(content)  # an archive that states a smaller size
    with pytest.raises(BundleError):
        unpack(archive, folder)
    assert (folder / "model-card.md").stat().st_size <= 1000


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x89PNG"])
def test_a_damaged_archive_is_refused(tmp_path: Path, folder: Path, content: bytes) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(content)
    with pytest.raises(BundleError, match="damaged"):
        unpack_bundle(file, folder)
