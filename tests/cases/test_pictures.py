"""What a picture shows: one retina is graded, anything else is refused for its own reason."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from ml.grader import Grader
from ml.prediction import Prediction
from ml.synthetic.camera import Frame
from ml.vocabulary import QualityReason
from tests.cases.composites import (
    BLACK,
    BLUE,
    GREY,
    WHITE,
    eye,
    joined,
    montage,
    oct_scan,
    on_surroundings,
    report_page,
    resized,
    sick_eye,
    tight,
    ultra_wide,
    with_text,
)
from tests.cases.conftest import Record

Draw = Callable[[], Image.Image]


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader.load()


def verdict_of(prediction: Prediction) -> str:
    return f"grade {prediction.grade}" if prediction.grade is not None else ", ".join(prediction.quality_reasons)


TWO_EYES: dict[str, Draw] = {
    "side by side": lambda: joined(eye(1), eye(2)),
    "side by side, touching": lambda: joined(tight(eye(1)), tight(eye(2))),
    "side by side, wide gap": lambda: joined(eye(1), eye(2), gap=200),
    "stacked": lambda: joined(eye(1), eye(2), stacked=True),
    "stacked, touching": lambda: joined(tight(eye(3)), tight(eye(4)), stacked=True),
    "stereo pair": lambda: joined(tight(eye(5)), tight(eye(5))),
    "cut at top and bottom": lambda: joined(*(eye(s, frame=Frame.THREE_HALVES, cut=0.13) for s in (1, 2))),
    "a small one beside": lambda: joined(eye(1), resized(eye(2), 0.35)),
    "a small one that touches": lambda: joined(tight(eye(1)), resized(tight(eye(2)), 0.5)),
    "a small one below": lambda: joined(eye(2), resized(eye(1), 0.3), stacked=True),
    "white line between": lambda: joined(eye(1), eye(2), gap=12, frame=WHITE),
    "on white": lambda: joined(on_surroundings(eye(1), WHITE), on_surroundings(eye(2), WHITE), frame=WHITE),
    "on grey": lambda: joined(on_surroundings(eye(1), GREY), on_surroundings(eye(2), GREY), gap=30, frame=GREY),
    "three": lambda: joined(eye(1), eye(2), eye(3)),
    "four": lambda: joined(joined(eye(1), eye(2)), joined(eye(3), eye(4)), stacked=True),
    "four, touching": lambda: joined(
        joined(tight(eye(1)), tight(eye(2))), joined(tight(eye(3)), tight(eye(4))), stacked=True
    ),
}


@pytest.mark.parametrize("kind", TWO_EYES)
@pytest.mark.parametrize("include_ungradable", [False, True])
def test_two_eyes_in_one_picture_are_never_graded(
    grader: Grader, record_case: Record, kind: str, include_ungradable: bool
) -> None:
    prediction = grader.grade(TWO_EYES[kind](), include_ungradable=include_ungradable)
    record_case(f"two eyes, {kind}", verdict_of(prediction))
    assert prediction.quality_reasons == (QualityReason.TWO_EYES,)
    assert prediction.grade is None


def channels(*order: int) -> Draw:
    return lambda: Image.fromarray(np.ascontiguousarray(np.asarray(eye(1))[..., list(order)]))


def of_green(*weights: float, bright_vessels: bool = False) -> Draw:
    """A picture of the green channel, in one tint."""

    def draw() -> Image.Image:
        green = np.asarray(eye(1), int)[..., 1:2]
        levels = (220 - green if bright_vessels else green) * np.array(weights)
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))

    return draw


def mislabelled(shown: str) -> Draw:
    """The bytes of one colour space shown as those of the other."""
    other = "YCbCr" if shown == "RGB" else "RGB"
    return lambda: Image.frombytes(shown, eye(1).size, eye(1).convert(other).tobytes()).convert("RGB")


FALSE_COLORS: dict[str, Draw] = {
    "blue and red swapped": channels(2, 1, 0),
    "red and green swapped": channels(1, 0, 2),
    "green and blue swapped": channels(0, 2, 1),
    "rotated once": channels(1, 2, 0),
    "rotated twice": channels(2, 0, 1),
    "negative": lambda: eye(1).point(lambda level: 255 - level),
    "luma and chroma shown as RGB": mislabelled("RGB"),
    "RGB shown as luma and chroma": mislabelled("YCbCr"),
    "red-free, grey": of_green(1, 1, 1),
    "red-free, green": of_green(0, 1, 0),
    "autofluorescence, green": of_green(0.3, 1, 0.4),
    "autofluorescence, blue": of_green(0.1, 0.5, 1),
    "autofluorescence, grey": of_green(0.95, 1, 0.93),
    "angiography, grey": of_green(1, 1, 1, bright_vessels=True),
    "angiography, green": of_green(0.2, 1, 0.3, bright_vessels=True),
}


@pytest.mark.parametrize("kind", FALSE_COLORS)
def test_colours_that_no_retina_has_are_named(grader: Grader, record_case: Record, kind: str) -> None:
    prediction = grader.grade(FALSE_COLORS[kind]())
    record_case(f"colours, {kind}", verdict_of(prediction))
    assert prediction.quality_reasons == (QualityReason.NOT_COLOR,)


@pytest.mark.parametrize("seed", range(1, 7))
def test_colours_of_every_synthetic_retina_are_accepted(grader: Grader, seed: int) -> None:
    assert not set(grader.grade(eye(seed)).quality_reasons) & {QualityReason.NOT_COLOR, QualityReason.TWO_EYES}


OTHER_FIELDS: dict[str, Draw] = {
    "ultra-wide": lambda: ultra_wide(eye(1)),
    "montage of four": lambda: montage(eye(1), eye(2), eye(3), eye(4)),
    "montage of three": lambda: montage(eye(1), eye(2), eye(3)),
    "OCT scan": oct_scan,
    "OCT scan, another": lambda: oct_scan(4).resize((900, 330)),
}


@pytest.mark.parametrize("kind", OTHER_FIELDS)
def test_another_field_is_not_a_45_degree_photograph(grader: Grader, record_case: Record, kind: str) -> None:
    prediction = grader.grade(OTHER_FIELDS[kind]())
    record_case(kind, verdict_of(prediction))
    assert prediction.quality_reasons == (QualityReason.OTHER_FIELD,)


SAME: dict[str, Draw] = {
    "squeezed": lambda: sick_eye().resize((840, 480)),
    "stretched": lambda: sick_eye().resize((480, 620)),
    "enlarged": lambda: resized(sick_eye(), 2.5),
    "on white": lambda: on_surroundings(sick_eye(), WHITE, margin=40),
    "on grey": lambda: on_surroundings(sick_eye(), GREY, margin=20),
    "on blue": lambda: on_surroundings(sick_eye(), BLUE),
}


@pytest.mark.parametrize("kind", SAME)
def test_one_retina_is_graded_as_it_is(grader: Grader, record_case: Record, kind: str) -> None:
    prediction, plain = grader.grade(SAME[kind]()), grader.grade(sick_eye())
    record_case(f"one retina, {kind}", verdict_of(prediction))
    assert prediction.grade == plain.grade
    assert prediction.p_referable == pytest.approx(plain.p_referable, abs=0.15)


def test_surroundings_do_not_change_the_crop(grader: Grader) -> None:
    white, plain = (grader.grade(on_surroundings(sick_eye(), color)) for color in (WHITE, BLACK))
    assert white.p_referable is not None
    assert white.p_referable == pytest.approx(plain.p_referable, abs=0.03)


NAME = ((6, 6), "R 000417 TEST")
DATE = ((6, 578), "26.11.2026")


@pytest.mark.parametrize("lines", [(NAME,), (DATE,), (NAME, DATE)])
def test_writing_beside_the_retina_changes_no_grade_and_is_reported(
    grader: Grader, record_case: Record, lines: tuple[tuple[tuple[int, int], str], ...]
) -> None:
    plain = grader.grade(sick_eye())
    prediction = grader.grade(with_text(sick_eye(), *lines))
    record_case(f"writing, {len(lines)} lines", f"{verdict_of(prediction)}, has_writing {prediction.has_writing}")
    assert prediction.p_referable == pytest.approx(plain.p_referable, abs=0.01)
    assert prediction.has_writing
    assert not plain.has_writing


def test_an_information_panel_is_reported_and_no_second_eye(grader: Grader, record_case: Record) -> None:
    frame = Image.new("RGB", (1500, 1000))
    frame.paste(sick_eye(), (80, 200))
    lines = [((800, 150 + 50 * i), f"TEST^DRAWN 000417, line {i}") for i in range(6)]
    prediction = grader.grade(with_text(frame, *lines))
    record_case("information panel", f"{verdict_of(prediction)}, has_writing {prediction.has_writing}")
    assert prediction.grade == grader.grade(sick_eye()).grade
    assert prediction.has_writing


def test_a_report_page_is_no_photograph(grader: Grader, record_case: Record) -> None:
    for kind, retina in (("black", sick_eye()), ("white", on_surroundings(sick_eye(), WHITE))):
        prediction = grader.grade(report_page(retina))
        record_case(f"report page, retina on {kind}", verdict_of(prediction))
        assert prediction.quality_reasons == (QualityReason.NOT_A_PHOTOGRAPH,)
