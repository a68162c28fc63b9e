"""Format of a file, from its first bytes: those that are read, and those that are named."""

from collections.abc import Callable

from ml.serving.files.rejections import InvalidFile

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
DICOM = "DICOM"
_READ = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)
_NAMED = (
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),  # a code stream without its container (ITU T.800, A.4)
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jpegxl"),
    (b"\xff\x0a", "jpegxl"),
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"CMDb", "oct_e2e"),
    (b"MDbMDir", "oct_e2e"),
    (b"HSF-OCT", "oct_e2e"),
    (b"FOCTFDA", "oct_topcon"),
    (b"FOCTFDS", "oct_topcon"),
    (b"\x1aE\xdf\xa3", "video"),  # Matroska
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_DICOM_GROUPS = frozenset({b"\x02\x00", b"\x08\x00"})
_DICOM_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split())


def sniff_format(data: bytes) -> str:
    """The format, one of FORMATS or DICOM, which has one of them in it. Raises InvalidFile for any other one."""
    if data[128:132] == b"DICM":  # first: the preamble may be the head of a TIFF (PS3.10, 7.1), without the person
        return DICOM
    for start, kind in _READ:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if _is_dicom_without_preamble(data):
        return DICOM
    raise InvalidFile(_other_format(data))


def _other_format(data: bytes) -> str:
    """Code of a file that is not read."""
    named = next((code for start, code in _NAMED if data.startswith(start)), None)
    if named is not None:
        return named
    if data[4:8] == b"ftyp":
        return _container(data)
    return next((code for code, is_kind in _RECOGNISED if is_kind(data)), "not_a_photograph")


def _container(data: bytes) -> str:
    """HEIC, AVIF or video, from the brands of an ISO media file (ISO 14496-12, 4.3)."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    if _AVIF_BRANDS & set(brands):
        return "avif"
    return "heic" if _HEIC_BRANDS & set(brands) else "video"


def _is_dicom_without_preamble(data: bytes) -> bool:
    """Whether the file begins with a data element of group 0002 or 0008, little endian (DICOM PS3.5, 7.1)."""
    if data[:2] not in _DICOM_GROUPS or len(data) < 16 or data[3] != 0:
        return False
    is_implicit = data[6:8] == b"\x00\x00" and 0 < int.from_bytes(data[4:6], "little") <= 256
    return data[4:6] in _DICOM_VRS or is_implicit


def _is_svg(data: bytes) -> bool:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in head)


_RECOGNISED: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("bmp", lambda data: data[:2] == b"BM" and data[6:10] == b"\x00\x00\x00\x00"),
    ("ppm", lambda data: data[:1] == b"P" and data[1:2] in b"1234567" and data[2:3].isspace()),
    ("svg", _is_svg),
    ("video", lambda data: data[:4] == b"RIFF" and data[8:12] == b"AVI "),
)
