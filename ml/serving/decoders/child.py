"""The child process: ``python -m ml.serving.decoders.child PARENT_PID``. It decodes one file after another.

It imports what decoding needs, has no files but its pipes, and ends with its parent.
"""

import ctypes
import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import (  # before the limits
    Jpeg2KImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from ml.serving.decoders.dicom_messages import dicom_facts
from ml.serving.decoders.messages import BrokenMessage, integer, packed, read_exactly, read_header
from ml.serving.files.archives import unpack_archive
from ml.serving.files.cleaning import clean_file, upright_size
from ml.serving.files.decoding import bands, decode_file
from ml.serving.files.photo_file import check_file, invalid_if_broken
from ml.serving.files.rejections import MAX_BYTES, InvalidFile
from ml.serving.files.renditions import logo_png, reduced_jpeg, whole_png
from ml.serving.files.tiles import make_tiles

MAX_MEMORY_BYTES = 600 * 1024 * 1024
MAX_CPU_S = 8
"""Of one file. A JPEG of 100 megapixels takes one second."""
_MAX_SIDE_PX = 1 << 20
_PR_SET_PDEATHSIG = 1
Reply = tuple[dict[str, Any], Iterable[bytes]]
"""Header, and the pieces of the payload."""


def limit_process(parent: int) -> None:
    """Limit memory and files of this process, and end it with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended meanwhile
        raise SystemExit(1)
    with suppress(OSError), Path("/proc/self/oom_score_adj").open("w") as score:
        score.write("1000")  # if the memory of the machine is used up, this process is ended before any other
    if sys.platform == "linux":  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))


def _limit_time() -> None:
    """Let the next file have MAX_CPU_S seconds of processor time; then the system ends this process."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + MAX_CPU_S, hard))


def _clean(data: bytes, _options: dict[str, Any]) -> Reply:
    photo = clean_file(data)
    header = {name: getattr(photo, name) for name in ("format", "width_px", "height_px", "camera", "orientation")}
    header["captured_on"] = "" if photo.captured_on is None else photo.captured_on.isoformat()
    header["dicom"] = None if photo.dicom is None else dicom_facts(photo.dicom)
    sizes = {"n_bytes": len(photo.cleaned), "n_profile_bytes": len(photo.icc_profile)}
    return header | sizes, [photo.cleaned, photo.icc_profile]


def _decode(data: bytes, options: dict[str, Any]) -> Reply:
    min_side_px = max(1, integer(options, "min_side_px", most=_MAX_SIDE_PX))
    reduce_all = bool(integer(options, "reduce_all", most=1))
    with invalid_if_broken():
        image = decode_file(check_file(data), min_side_px=min_side_px, reduce_all=reduce_all)
    return {"width_px": image.width, "height_px": image.height}, (band.tobytes() for _top, band in bands(image))


def _reduce(data: bytes, options: dict[str, Any]) -> Reply:
    with invalid_if_broken():
        jpeg, (width, height) = reduced_jpeg(data, side_px=integer(options, "side_px", most=_MAX_SIDE_PX))
    return {"width_px": width, "height_px": height, "n_bytes": len(jpeg)}, [jpeg]


def _convert(data: bytes, _options: dict[str, Any]) -> Reply:
    with invalid_if_broken():
        png = whole_png(data)
    return {"n_bytes": len(png)}, [png]


def _logo(data: bytes, _options: dict[str, Any]) -> Reply:
    png = logo_png(data)
    return {"n_bytes": len(png)}, [png]


def _tile(data: bytes, _options: dict[str, Any]) -> Reply:
    with invalid_if_broken():
        archive = make_tiles(data)
    return {"n_bytes": len(archive)}, [archive]


def _unpack(data: bytes, _options: dict[str, Any]) -> Reply:
    """The index of the files as JSON, then their contents."""
    files = unpack_archive(data)
    index = [{"name": one.name, "n_bytes": len(one.content), "rejection": one.rejection} for one in files]
    text = json.dumps(index).encode()
    return {"n_index_bytes": len(text)}, [text, *(one.content for one in files)]


def _measure(data: bytes, _options: dict[str, Any]) -> Reply:
    with invalid_if_broken():
        width, height = upright_size(data)
    return {"width_px": width, "height_px": height}, []


OPERATIONS: dict[str, Callable[[bytes, dict[str, Any]], Reply]] = {
    "clean": _clean,
    "decode": _decode,
    "reduce": _reduce,
    "convert": _convert,
    "logo": _logo,
    "tile": _tile,
    "measure": _measure,
    "unpack": _unpack,
}


def serve() -> None:
    """Answer requests until the input ends. An error is the last answer: the parent starts another process."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    _limit_time()
    replies.write(packed({"is_ready": True}))
    replies.flush()
    while True:
        header = read_header(requests)
        data = read_exactly(requests, integer(header, "n_bytes", most=MAX_BYTES + 1))
        _limit_time()
        try:
            fields, payload = OPERATIONS[header["operation"]](data, header)
        except InvalidFile as error:
            fields, payload = {"error": error.code}, []
        except MemoryError:
            fields, payload = {"error": "over_limits"}, []
        del data
        replies.write(packed(fields))
        for piece in payload:
            replies.write(piece)
        replies.flush()
        del payload


if __name__ == "__main__":
    limit_process(int(sys.argv[1]))
    try:
        serve()
    except (BrokenMessage, BrokenPipeError):
        os._exit(0)  # the parent has closed its end
