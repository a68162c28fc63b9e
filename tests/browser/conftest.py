"""A real Chromium, a live server and, for some tests, a Celery worker on a thread, with the released bundle.

A page fails its test if it logs an error, violates the content security policy or requests another host.
"""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.core.files.base import ContentFile
from django.test import Client
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality, ServedModel
from screening.models import Exam, Site, User
from screening.services import inference
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000
"""For each step of a page. Long, as several processes share the processors; only a failing test waits so long."""
WIDE, PHONE = (1440, 900), (390, 844)
Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; each visit has a separate profile. Skips if no Chromium is installed."""
    if CHROMIUM is None:
        pytest.skip(f"no Chromium is installed ({', '.join(PROGRAMS)})")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright has an event loop on the tests' thread
        expect.set_options(timeout=WAIT_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def fake_grader(released_bundle: None) -> None:
    """No fake: pages and worker use the grader of the released bundle."""


@pytest.fixture(autouse=True)
def published() -> None:
    """No fake: tasks are published."""


@pytest.fixture
def address(shared_database: str) -> Iterator[str]:
    """The address of the live server."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture
def worker(shared_database: str, celery_at: Callable[..., Celery]) -> Iterator[None]:
    """A Celery worker on a thread with an in-memory queue, as in the demo; the model of exams is loaded."""
    inference.current_grader(ServedModel.ACCURATE)
    app = celery_at(
        "memory://localhost/",
        broker_transport_options={"polling_interval": 0.1},
        task_default_queue=f"browser-{uuid.uuid4()}",
    )
    with start_worker(app, perform_ping_check=False, loglevel="WARNING", shutdown_timeout=30):
        yield


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """Errors that the browser reports. A test that provokes one asserts it and clears the list."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def visit(chromium: Browser, address: str, problems: list[str]) -> Iterator[Visit]:
    """Opens a path in a new profile: ``visit("/", user, size=PHONE)``; without a user, not logged in."""
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
        _collect_problems(page, address, problems)
        page.goto(path)
        return page

    yield open_page
    for profile in profiles:
        profile.close()


def _collect_problems(page: Page, address: str, problems: list[str]) -> None:
    def check(problem: str, is_problem: bool) -> None:
        if is_problem:
            problems.append(problem)

    own = (f"{address}/", "data:", f"blob:{address}")
    # Without a graphics card Chromium reports that it reads each frame of WebGL back: that is no fault of a page.
    page.on(
        "console",
        lambda message: check(
            message.text, message.type in {"error", "warning"} and "GL Driver Message" not in message.text
        ),
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: check(f"foreign host: {request.url}", not request.url.startswith(own)))
    page.on("response", lambda response: check(f"{response.status} {response.url}", response.status >= 500))


@lru_cache
def synthetic_photo(grade: int, eye: str, *, blur_px: float = 0.0) -> bytes:
    """A JPEG file of a synthetic fundus with this grade."""
    drawing = drawing_for_grade(ICDRGrade(grade), Laterality(eye), seed=1, faults=Faults(blur_px=blur_px))
    written = BytesIO()
    draw_fundus(drawing).save(written, "JPEG", quality=92)
    return written.getvalue()


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Evaluate a condition until it is true: the viewer draws what an event changed in the next frame."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not condition():
        assert time.monotonic() < deadline, "The page did not draw it."
        page.wait_for_timeout(20)


def hold(page: Page, pattern: str) -> list[Route]:
    """The requests of these addresses from now on, which get no answer for the time being."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))  # noqa: PLW0108  # Playwright sets an attribute of it
    return held


def choose_photos(page: Page, files: dict[str, bytes]) -> Locator:
    """Choose files on the exam page; the rows of the upload list."""
    payloads: list[FilePayload] = [{"name": n, "mimeType": "image/jpeg", "buffer": d} for n, d in files.items()]
    page.get_by_label("Choose photographs").set_input_files(payloads)
    return page.get_by_role("list", name="Photographs to upload").get_by_role("listitem")


@pytest.fixture
def graded_exam(site: Site, photographer: User, shared_database: str) -> Exam:
    """A submitted exam of both eyes with results of the model: grade 3 right, grade 2 left."""
    exam = ExamFactory(patient__site=site, opened_by=photographer, is_submitted=True)
    for seed, (eye, grade) in enumerate([(Laterality.RIGHT, 3), (Laterality.LEFT, 2)]):
        file = ContentFile(photo_bytes(size=(480, 360), seed=seed), name="photo.jpg")
        image = FundusImageFactory(exam=exam, laterality=eye, file=file, width_px=480, height_px=360)
        GradingFactory(image=image, is_done=True, grade=grade)
    return exam


@pytest.fixture
def open_exam(site: Site, photographer: User, shared_database: str) -> Exam:
    """An exam without photographs."""
    return ExamFactory(patient__site=site, opened_by=photographer)
