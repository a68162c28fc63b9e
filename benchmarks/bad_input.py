"""Print time and memory for one file that many clients send at once, and for the largest photograph before small ones.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.bad_input --photos FOLDER

The web server is gunicorn as in a container; there is one worker. Two hundred clients send the same file for the same
exam at the same time: one photograph may be stored, and each client gets a sentence. Then a photograph of the most
pixels of one site waits before 20 small ones of another, as JPEG (100 megapixels) and as PNG (78). Searches for ``%``
and for one letter, and a page that does not exist, are among the lists of ``benchmarks.rows``.

The database is migrated and must be empty; the database of Redis is emptied. It takes three minutes.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from benchmarks.environment import machine, prepare, prepare_servers, read_photographs, wait_for_gradings

MEDIA = prepare()

from django.db import connection, connections  # noqa: E402 (after django.setup)
from PIL import Image  # noqa: E402

from benchmarks.clinics import Clinic, add_clinic  # noqa: E402
from benchmarks.servers import Servers  # noqa: E402
from benchmarks.uploads import BOUNDARY, TODAY, Clients, form  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from ml.serving.files.costs import MAX_DECODED_BYTES  # noqa: E402
from screening.models import Exam, FundusImage, Grading  # noqa: E402
from screening.photos.validation import MAX_PIXELS  # noqa: E402

MAX_PIXELS_OF = {"JPEG": MAX_PIXELS, "PNG": MAX_DECODED_BYTES // 4}
"""Of a photograph that is accepted; colours of a PNG are held in four bytes."""
N_SMALL = 20
TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and sentence of an upload, and its seconds."""

    status: int
    message: str
    seconds: float


def upload(port: int, clinic: Clinic, exam: Exam, photo: bytes) -> Answer:
    """Send a photograph over HTTP."""
    headers = {"Authorization": f"Bearer {clinic.key}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    began = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    client.request("POST", f"/api/v1/exams/{exam.pk}/images", form(photo, laterality="OD", captured_on=TODAY), headers)
    response = client.getresponse()
    message = str(json.loads(response.read()).get("message", ""))
    client.close()
    return Answer(response.status, message, time.monotonic() - began)


def of_largest_size(photo: bytes, file_format: str) -> bytes:
    """The photograph at the most pixels that are accepted."""
    with Image.open(BytesIO(photo)) as image:
        scale = (MAX_PIXELS_OF[file_format] / (image.width * image.height)) ** 0.5
        enlarged = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BILINEAR)
    file = BytesIO()
    enlarged.save(file, file_format, quality=90, compress_level=3)
    return file.getvalue()


def same_file(servers: Servers, photo: bytes, n_clients: int) -> dict[str, object]:
    """Send one file by many clients at once; the row of the table. Raises RuntimeError if it is stored twice."""
    clinic = add_clinic(n_exams=1)
    connections.close_all()
    before_mb = servers.memory_mb("web")[0]
    with ThreadPoolExecutor(n_clients) as pool:
        sent = [pool.submit(upload, servers.port, clinic, clinic.exams[0], photo) for _ in range(n_clients)]
        answers = [one.result() for one in sent]
    without_message = [one for one in answers if one.status >= 400 and not one.message]
    n_stored = FundusImage.objects.filter(exam=clinic.exams[0]).count()
    if without_message or n_stored != 1:
        raise RuntimeError(f"{n_stored} photographs are stored, {len(without_message)} answers have no message.")
    return {
        "clients at once": n_clients,
        "answers (HTTP status: number)": _counts([one.status for one in answers]),
        "photographs stored": n_stored,
        "seconds, median / longest": _seconds([one.seconds for one in answers]),
        "largest web process before, after": f"{before_mb} MB, {servers.memory_mb('web')[0]} MB",
    }


def large_before_small(servers: Servers, photos: Sequence[bytes], file_format: str) -> dict[str, object]:
    """Let a large photograph wait before small ones of another site; the row of the table."""
    large = of_largest_size(photos[0], file_format)
    site_a, site_b = add_clinic(n_exams=1), add_clinic(n_exams=N_SMALL)
    connections.close_all()
    servers.pause_workers()
    answer = upload(servers.port, site_a, site_a.exams[0], large)
    if answer.status != 201:
        raise RuntimeError(f"The large photograph was refused: {answer}")
    Clients(port=servers.port, clinic=site_b, photos=photos[1:]).send(N_SMALL, n_clients=2)
    servers.resume_workers()
    began = time.monotonic()
    wait_for_gradings()
    large_grading = Grading.objects.get(queue_site=site_a.site, status=Grading.Status.DONE)
    n_graded = Grading.objects.filter(queue_site=site_b.site, status=Grading.Status.DONE).count()
    megapixels = MAX_PIXELS_OF[file_format] // 10**6
    return {
        "large photograph": f"{file_format}, {megapixels} megapixels, {len(large) / 1e6:.0f} MB",
        "its upload": f"{answer.seconds:.1f} s",
        "its grading": f"{(large_grading.duration_ms or 0) / 1000:.1f} s",
        f"{N_SMALL} small ones behind it": f"{n_graded} graded after {time.monotonic() - began:.1f} s",
        "largest web process": f"{servers.memory_mb('web')[0]} MB",
        "worker": f"{servers.memory_mb('worker')[0]} MB",
    }


def _counts(values: Sequence[int]) -> str:
    return ", ".join(f"{value}: {n}" for value, n in sorted(Counter(values).items()))


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} / {max(values):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files")
    parser.add_argument("--clients", type=int, default=200, help="how many send the same file at once")
    options = parser.parse_args()
    prepare_servers()
    print(machine(), end="\n\n", flush=True)
    photos = read_photographs(options.photos, N_SMALL + 1)
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder), database=connection.settings_dict["NAME"])
        try:
            servers.start()
            servers.start_workers(1)
            warm = add_clinic(n_exams=3)
            connections.close_all()
            Clients(port=servers.port, clinic=warm, photos=photos).upload_some(3)  # not measured: loads the model
            print(row_table([same_file(servers, photos[0], options.clients)]), flush=True)
            print(row_table([large_before_small(servers, photos, one) for one in ("JPEG", "PNG")]), end="", flush=True)
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
