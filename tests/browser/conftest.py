"""A real browser before the real pages: Chromium, a server and, where asked for, Celery's worker on threads.

Nothing is faked here. A page that logs an error, breaks the content security policy or asks another host for anything
fails its test.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.core.files.base import ContentFile
from django.test import Client
from playwright.sync_api import Browser, FilePayload, Page, Request, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, Site, User
from screening.services import inference
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 20_000
WIDE, PHONE = (1440, 900), (390, 844)
Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, where there is nothing to drive."""
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="no Chromium is installed (chromium, chromium-browser or google-chrome)")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(skip)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for the folder; each visit has a profile of its own."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop on the tests' thread
        expect.set_options(timeout=WAIT_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def fake_grader(released_bundle: None) -> None:
    """Not here: pages and worker use the grader of the released bundle."""


@pytest.fixture(autouse=True)
def published() -> None:
    """Not here: tasks are published."""


@pytest.fixture
def address(shared_database: str) -> Iterator[str]:
    """Where the pages are served."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture
def worker(shared_database: str, celery_at: Callable[..., Celery]) -> Iterator[None]:
    """Celery's worker on a thread, with an in-memory queue, as the demo runs it; the model is loaded."""
    inference.current_grader()
    app = celery_at(
        "memory://localhost/",
        broker_transport_options={"polling_interval": 0.1},
        task_default_queue=f"browser-{uuid.uuid4()}",
    )
    with start_worker(app, perform_ping_check=False, loglevel="WARNING", shutdown_timeout=30):
        yield


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser had to complain of. A test that provokes a complaint asserts it and clears the list."""
    heard: list[str] = []
    yield heard
    assert heard == []


@pytest.fixture
def visit(chromium: Browser, address: str, complaints: list[str]) -> Iterator[Visit]:
    """Opens a path in a fresh profile: ``visit("/", user, size=PHONE)``; without a user nobody is logged in."""
    profiles = []

    def open_page(path: str, user: User | None = None, *, size: tuple[int, int] = WIDE) -> Page:
        profile = chromium.new_context(viewport={"width": size[0], "height": size[1]}, base_url=address)
        profiles.append(profile)
        profile.set_default_timeout(WAIT_MS)
        if user is not None:
            client = Client()
            client.force_login(user)
            profile.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
        page = profile.new_page()
        _listen(page, address, complaints)
        page.goto(path)
        return page

    yield open_page
    for profile in profiles:
        profile.close()


def _listen(page: Page, address: str, complaints: list[str]) -> None:
    def hear_request(request: Request) -> None:
        if not request.url.startswith((f"{address}/", "data:", f"blob:{address}")):
            complaints.append(f"foreign host: {request.url}")

    def hear_response(response: Response) -> None:
        if response.status >= 500:
            complaints.append(f"{response.status} {response.url}")

    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", hear_request)
    page.on("response", hear_response)


@lru_cache
def drawn_photo(grade: int, eye: str, *, blur_px: float = 0.0) -> bytes:
    """A JPEG file of a drawn eye with this grade."""
    drawing = drawing_for_grade(ICDRGrade(grade), Laterality(eye), seed=1, faults=Faults(blur_px=blur_px))
    written = BytesIO()
    draw_fundus(drawing).save(written, "JPEG", quality=92)
    return written.getvalue()


def chosen_file(name: str, data: bytes) -> FilePayload:
    """A file as a person chooses it."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


@pytest.fixture
def read_exam(site: Site, photographer: User, shared_database: str) -> Exam:
    """A submitted exam of both eyes that the model has read: grade 3 right, grade 2 left."""
    exam = ExamFactory(patient__site=site, opened_by=photographer, is_submitted=True)
    for seed, (eye, grade) in enumerate([(Laterality.RIGHT, 3), (Laterality.LEFT, 2)]):
        file = ContentFile(photo_bytes(size=(480, 360), seed=seed), name="photo.jpg")
        image = FundusImageFactory(exam=exam, laterality=eye, file=file, width_px=480, height_px=360)
        GradingFactory(image=image, is_done=True, grade=grade)
    return exam
