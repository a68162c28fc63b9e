"""ZIP archives of photographs, and those that are refused."""

import stat
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from ml.serving.decoders import decoders
from ml.serving.files import archives
from ml.serving.files.archives import MAX_FILES, ArchivedFile, unpack_archive
from ml.serving.files.rejections import REJECTIONS, InvalidFile
from tests.builders import photo_bytes

Files = dict[str, bytes]


def packed(files: Files, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def with_link() -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        link = zipfile.ZipInfo("OD.jpg")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return written.getvalue()


def with_flag(flag: int) -> bytes:
    """The general purpose flag of the local and the central header is set."""
    data = bytearray(packed({"OD.jpg": photo_bytes()}))
    for start, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(start) + at, flag)
    return bytes(data)


def with_false_size(content: bytes, size: int) -> bytes:
    """An archive that states a smaller size than its file has."""
    data = bytearray(packed({"OD.jpg": content}))
    for start, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(start) + at, size)
    return bytes(data)


def test_photographs_come_with_names_without_folders() -> None:
    first, second = photo_bytes(seed=1), photo_bytes("PNG", seed=2)
    files = unpack_archive(packed({"visit/OD/a.jpg": first, "visit\\b_OS.png": second}))
    assert files == [ArchivedFile("a.jpg", first), ArchivedFile("b_OS.png", second)]


def test_other_files_have_a_code_and_those_of_the_system_are_left_out() -> None:
    files = {
        "OD.jpg": photo_bytes(),
        "report.pdf": b"%PDF-1.7",
        "empty.jpg": b"",
        "__MACOSX/._OD.jpg": b"x",
        ".DS_Store": b"x",
        "Thumbs.db": b"x",
        "DICOMDIR": b"x",
        "folder/": b"",
    }
    found = {one.name: (one.rejection, bool(one.content)) for one in unpack_archive(packed(files))}
    assert found == {"OD.jpg": ("", True), "report.pdf": ("pdf", False), "empty.jpg": ("empty", False)}


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "bomb": (lambda: packed({f"{n}.jpg": bytes(49 << 20) for n in range(4)}), "zip_too_large"),
    "parent folder": (lambda: packed({"../OD.jpg": b"x"}), "zip_paths"),
    "absolute path": (lambda: packed({"/etc/OD.jpg": b"x"}), "zip_paths"),
    "drive": (lambda: packed({"C:\\OD.jpg": b"x"}), "zip_paths"),
    "backslashes": (lambda: packed({"a\\..\\..\\OD.jpg": b"x"}), "zip_paths"),
    "link": (with_link, "zip_paths"),
    "archive in it": (lambda: packed({"OD.jpg": photo_bytes(), "b.zip": packed({"x": b"x"})}), "zip_nested"),
    "too many": (lambda: packed({f"{n}.jpg": b"x" for n in range(MAX_FILES + 1)}), "zip_too_many"),
    "folders alone": (lambda: packed({"visit/": b""}), "zip_empty"),
    "no files": (lambda: packed({}), "zip_empty"),
    "password": (lambda: with_flag(1), "zip_encrypted"),
    "other method": (lambda: packed({"OD.jpg": b"x" * 99}, method=zipfile.ZIP_LZMA), "zip_damaged"),
    "cut": (lambda: packed({"OD.jpg": photo_bytes()})[:-40], "zip_damaged"),
    "no archive": (lambda: b"PK\x03\x04" + bytes(50), "zip_damaged"),
    "false size": (lambda: with_false_size(photo_bytes(), 10), "zip_damaged"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_archive_is_refused_as_a_whole(kind: str) -> None:
    make, code = REFUSED[kind]
    with pytest.raises(InvalidFile) as caught:
        unpack_archive(make())
    assert caught.value.code == code
    assert REJECTIONS[code].count(".") <= 2


def test_the_sizes_that_are_read_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    files = unpack_archive(packed({"OD.jpg": photo_bytes()}))
    assert [one.rejection for one in files] == ["too_large"]
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1500)
    monkeypatch.setattr(archives, "_checked", lambda entries: entries)
    with pytest.raises(InvalidFile):
        unpack_archive(packed({"OD.jpg": photo_bytes(), "OS.jpg": photo_bytes()}))


@pytest.mark.usefixtures("decoder_processes")
def test_archives_are_unpacked_in_a_child_process() -> None:
    photo = photo_bytes()
    files = {"rechts Müller.jpg": photo, "brief.pdf": b"%PDF-1.7"}
    assert decoders.unpack(packed(files)) == [
        ArchivedFile("rechts Müller.jpg", photo),
        ArchivedFile("brief.pdf", b"", "pdf"),
    ]
    with pytest.raises(InvalidFile) as caught:
        decoders.unpack(with_link())
    assert caught.value.code == "zip_paths"
    with pytest.raises(InvalidFile) as caught:
        decoders.unpack(bytes(51 << 20))
    assert caught.value.code == "too_large"
