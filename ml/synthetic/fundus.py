"""Synthetic fundus photographs for demonstrations and tests, not to claim accuracy.

    draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=7)).save("synthetic.jpg", quality=92)

The same parameters give the same pixels. Lesions do not move the vessels they lie on, so one seed at five grades is one
eye at five stages. The left eye of a seed has the camera and the colour of the right one, and its own vessels. Uses
numpy and Pillow only.
"""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.synthetic.camera import Faults, Frame
from ml.synthetic.canvas import FloatArray, Point
from ml.synthetic.lesions import LesionPainter, Lesions, lesions_for_grade
from ml.synthetic.vessels import grow_vessels, paint_vessels
from ml.vocabulary import ICDRGrade, Laterality

#: In retina units: an optic disc of about 6 degrees in a field of 45.
DISC_RADIUS = 0.13
#: Mean retinal colours (R, G, B) from lightly to strongly pigmented eyes under a white flash.
COMPLEXIONS = ((204, 100, 52), (186, 92, 56), (216, 86, 52), (166, 92, 52), (196, 108, 70), (176, 84, 38))
#: Optical densities (R, G, B): blood absorbs green and blue, and little red.
_VEIN_DENSITY = np.array([0.23, 0.58, 0.44], dtype=np.float32)
_ARTERY_DENSITY = np.array([0.09, 0.46, 0.39], dtype=np.float32)
_LEFT_EYE = 1_000_003  # added to the seed
_BLOOD_DENSITY = np.array([0.45, 1.05, 0.6], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundusDrawing:
    """All parameters of a synthetic photograph."""

    seed: int
    laterality: Laterality = Laterality.RIGHT
    lesions: Lesions = field(default_factory=Lesions)
    faults: Faults = field(default_factory=Faults)
    frame: Frame = Frame.SQUARE
    #: Fraction of the radius that the frame hides at the top and at the bottom.
    cut: float = 0.0
    has_notch: bool = True
    complexion: tuple[int, int, int] = COMPLEXIONS[0]
    #: Of the frame's size; below 1 the photograph is smaller and faster to draw.
    scale: float = 1.0

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        width, height = self.frame.size_px
        return round(width * self.scale), round(height * self.scale)

    @property
    def side_px(self) -> int:
        """Diameter of the field of view, which may exceed the height."""
        width, height = self.size_px
        return 2 * round(min(0.487 * height / (1 - self.cut), 0.487 * width))

    @property
    def anatomy_seed(self) -> int:
        """The seed of everything inside the eye: the two eyes of one seed are not each other's mirror image."""
        return self.seed if self.laterality is Laterality.RIGHT else self.seed + _LEFT_EYE

    @property
    def landmarks(self) -> tuple[Point, Point]:
        """Centres of optic disc and fovea of a right eye, in retina units.

        They are 15 degrees apart (0.68 of the radius).
        """
        rng = np.random.default_rng([self.anatomy_seed, 1])
        disc = (float(rng.uniform(0.56, 0.66)), float(rng.uniform(-0.06, 0.02)))
        return disc, (disc[0] - float(rng.uniform(0.64, 0.7)), disc[1] + float(rng.uniform(0.05, 0.09)))

    def lesion_masks(self) -> dict[str, FloatArray]:
        """Masks (side, side) in [0, 1] of a right eye, by kind of lesion."""
        disc, fovea = self.landmarks
        return LesionPainter(self.anatomy_seed, self.side_px, disc=disc, fovea=fovea).masks(self.lesions)


def drawing_for_grade(
    grade: ICDRGrade, laterality: Laterality, seed: int, *, faults: Faults | None = None
) -> FundusDrawing:
    """Parameters of an eye with this grade; the seed determines anatomy, colour and camera."""
    camera = np.random.default_rng([seed, 2])
    frame = list(Frame)[int(camera.integers(3))]
    return FundusDrawing(
        seed=seed,
        laterality=laterality,
        lesions=lesions_for_grade(grade, np.random.default_rng([seed, 3])),
        faults=faults or Faults(),
        frame=frame,
        cut=0.0 if frame is Frame.SQUARE else float(camera.choice((0.0, 0.13))),
        has_notch=bool(camera.random() < 0.7),
        complexion=COMPLEXIONS[int(camera.integers(len(COMPLEXIONS)))],
    )


def draw_fundus(drawing: FundusDrawing) -> Image.Image:
    """Draw the photograph as an RGB image."""
    (width, height), side = drawing.size_px, drawing.side_px
    retina = _retina(drawing, side)
    if drawing.laterality is Laterality.LEFT:
        retina = retina[:, ::-1]
    aperture = _aperture(side, has_notch=drawing.has_notch, cut=drawing.cut)
    photo = center_in_frame(_optics(retina, drawing) * aperture[..., None], width, height)
    rng = np.random.default_rng([drawing.seed, 9])
    photo += _grain(rng, width, height) * (0.8 + 0.009 * np.clip(photo, 0, 255))
    photo += np.array([3.0, 2.4, 2.6], dtype=np.float32)  # no sensor gives a perfect black
    return Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8), "RGB")


def _retina(drawing: FundusDrawing, side: int) -> FloatArray:
    """The lit retina before the camera: (side, side, 3) in 0..255, as a right eye."""
    disc, fovea = drawing.landmarks
    color = _background(drawing, side, disc, fovea)
    masks = drawing.lesion_masks()
    color = _cover(color, masks["exudate_clusters"] * 0.92, (246, 222, 138))
    rng = np.random.default_rng([drawing.anatomy_seed, 4])
    vessels = grow_vessels(rng, disc=disc, fovea=fovea, n_beaded_quadrants=drawing.lesions.n_beaded_quadrants)
    arteries = [v for v in vessels if not v.is_vein]
    fine = 2.4 * masks["irma"] + 2.2 * masks["new_vessels"]
    veins = _soft(paint_vessels([v for v in vessels if v.is_vein], side), side / 900)
    reflex = paint_vessels([v for v in arteries if v.widths[0] > 0.01], side, width_scale=0.28)
    flow = _soft(paint_vessels(arteries, side), side / 900)
    density = veins[..., None] * _VEIN_DENSITY + (flow - 0.42 * _soft(reflex, 1.0))[..., None] * _ARTERY_DENSITY
    color = color * np.exp(-density - _soft(fine, 0.6)[..., None] * _VEIN_DENSITY)
    red = masks["haemorrhages"] + 0.8 * masks["flame_haemorrhages"]
    red = np.clip(red + 0.85 * masks["microaneurysms"], 0, 1)
    color = color * np.exp(-0.85 * red[..., None] * _BLOOD_DENSITY)
    color = _cover(color, masks["cotton_wool_spots"] * 0.8, (236, 214, 176))
    return _cover(color, masks["preretinal_haemorrhages"] * 0.94, (92, 18, 14))


def _background(drawing: FundusDrawing, side: int, disc: Point, fovea: Point) -> FloatArray:
    """Pigment, choroid, nerve fibres, macula and optic disc: (side, side, 3)."""
    rng = np.random.default_rng([drawing.anatomy_seed, 5])
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    to_disc, to_fovea = np.hypot(x - disc[0], y - disc[1]), np.hypot(x - fovea[0], (y - fovea[1]) * 1.12)
    macula = np.exp(-((to_fovea / 0.3) ** 2))
    light = 1 - 0.3 * np.hypot(x, y) ** 3 + 0.16 * np.exp(-((to_disc / 0.36) ** 2)) + 0.07 * _noise(rng, side, 5)
    mottle = 0.012 * _noise(rng, side, 60) + 0.014 * _noise(rng, side, side // 5) + 0.02 * _noise(rng, side, 16)
    # level lines of a smooth random field resemble choroidal vessels
    choroid = np.exp(-((_noise(rng, side, 15) / 0.3) ** 2)) + 0.6 * np.exp(-((_noise(rng, side, 24) / 0.3) ** 2))
    choroid *= np.clip(np.hypot(x - fovea[0], y - fovea[1]) - 0.2, 0, 0.8) * rng.uniform(0.06, 0.26)
    color = np.array(drawing.complexion, dtype=np.float32) * (light + mottle)[..., None]
    hue = np.stack([_noise(rng, side, 4) for _ in range(3)], axis=-1)  # uneven pigment
    color *= 1 + 0.035 * hue + choroid[..., None] * np.array([0.5, 0.85, 0.35], dtype=np.float32)
    color *= 1 - macula[..., None] * np.array([0.1, 0.2, 0.34], dtype=np.float32)
    pit = np.exp(-((to_fovea / 0.085) ** 2))
    color *= 1 - pit[..., None] * np.array([0.22, 0.32, 0.3], dtype=np.float32)
    spark = np.exp(-((to_fovea / 0.011) ** 2)) * rng.uniform(0, 0.4)  # the foveal reflex of a healthy pit
    fibres = _nerve_fibres(rng, x - disc[0], y - disc[1], to_disc)
    color = _cover(color, np.clip(fibres + spark, 0, 1), (238, 196, 150))
    return _optic_disc(rng, color, x - disc[0], y - disc[1])


def _nerve_fibres(rng: np.random.Generator, dx: FloatArray, dy: FloatArray, to_disc: FloatArray) -> FloatArray:
    """Reflex of the nerve fibres above and below the optic disc: (side, side) in [0, 1]."""
    angle = np.arctan2(dy, dx)
    streaks = np.interp(angle, np.linspace(-np.pi, np.pi, 260), rng.standard_normal(260)).astype(np.float32)
    lobes = np.sin(angle) ** 2 * np.clip(to_disc - 0.1, 0, 0.12) / 0.12
    sheen: FloatArray = np.clip(lobes * np.exp(-((to_disc / 0.42) ** 2)) * (0.17 + 0.03 * streaks), 0, 0.4)
    return sheen


def _optic_disc(rng: np.random.Generator, color: FloatArray, dx: FloatArray, dy: FloatArray) -> FloatArray:
    """Optic disc: pink rim, paler cup temporal of its centre, thin temporal crescent."""
    tilt, size = rng.uniform(-0.2, 0.2), DISC_RADIUS * rng.uniform(0.93, 1.08)
    u, v = (dx * np.cos(tilt) + dy * np.sin(tilt)) / 0.92, (dy * np.cos(tilt) - dx * np.sin(tilt)) / 1.04
    radius = np.hypot(u, v) / size
    crescent = _edge(np.hypot(u + 0.016, v) / size, 1.05, 0.05) * rng.uniform(0, 0.4)
    color = _cover(color, crescent, (226, 176, 120))
    color = _cover(color, np.exp(-((radius / 1.5) ** 4)) * 0.18, (240, 170, 110))
    color = _cover(color, _edge(radius, 1.0, 0.055) * 0.9, (238, 178, 116))
    cup = np.hypot(u + 0.018, v * 0.95) / (size * rng.uniform(0.38, 0.56))
    return _cover(color, _edge(cup, 1.0, 0.2) * 0.85, (252, 226, 172))


def _optics(retina: FloatArray, drawing: FundusDrawing) -> FloatArray:
    """Exposure and focus of the camera, with faults."""
    faults, side = drawing.faults, retina.shape[0]
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    temporal = -x if drawing.laterality is Laterality.RIGHT else x
    rim = np.clip(np.hypot(x, y) - 0.86, 0, 0.14) / 0.14
    photo = _cover(retina, 0.13 * rim**2, (150, 150, 120))  # light scattered at the edge of the pupil
    if faults.unevenness:
        shade = 1 - faults.unevenness * np.clip(0.5 + 0.55 * (temporal + 0.25 * y), 0, 1)
        haze = faults.unevenness * 0.75 * np.clip(-0.2 - temporal * 0.6 + 0.5 * (np.hypot(x, y) - 0.4), 0, 1)
        photo = _cover(photo * shade[..., None], haze, (205, 200, 165))
    if faults.lid:
        photo = _lid(photo, drawing, x, y)
    blur_px = float(np.hypot(side / 1000, faults.blur_px * drawing.scale))  # a good lens blurs by about a pixel
    image = Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8), "RGB")
    photo = np.asarray(image.filter(ImageFilter.GaussianBlur(blur_px)), dtype=np.float32)
    photo = photo * np.float32(2.0**faults.exposure_stops)
    shoulder = 205.0  # above this the sensor's response flattens, and clips at 255
    bright = shoulder + 50 * (1 - np.exp(-(np.maximum(photo, shoulder) - shoulder) / 50))
    return np.where(photo > shoulder, bright, photo).astype(np.float32)


def _lid(photo: FloatArray, drawing: FundusDrawing, x: FloatArray, y: FloatArray) -> FloatArray:
    """The upper lid as a defocused shadow, with lashes in front of it."""
    rng = np.random.default_rng([drawing.seed, 6])
    border = -1.1 + 1.1 * drawing.faults.lid + 0.3 * np.cos(x * 1.5)
    side = photo.shape[0]
    lashes = Image.new("L", (side, side))
    draw = ImageDraw.Draw(lashes)
    for root in np.linspace(-0.9, 0.9, 26) + rng.normal(0, 0.02, 26):
        length, slant = rng.uniform(0.12, 0.34), rng.normal(root * 0.2, 0.05)
        top = -1.1 + 1.1 * drawing.faults.lid + 0.3 * np.cos(root * 1.5)
        t = np.linspace(0, 1, 9)
        lash = np.column_stack([root + slant * t * t + 1, top - 0.12 + length * t + 1]) * side / 2
        draw.line(lash.ravel().tolist(), fill=200, width=max(2, side // 130), joint="curve")
    fringe = np.asarray(lashes.filter(ImageFilter.GaussianBlur(side / 160)), dtype=np.float32) / 255
    photo = _cover(photo, _edge(y - border + 1, 1.0, 0.09) * 0.96, (96, 62, 48))
    return _cover(photo, fringe * 0.8, (26, 14, 10))


def _aperture(side: int, *, has_notch: bool, cut: float) -> FloatArray:
    """Aperture mask: (side, side) in [0, 1], with the notch that marks which side is up."""
    size = 2 * side
    opening = Image.new("L", (size, size))
    draw = ImageDraw.Draw(opening)
    inset = size * 0.012
    draw.ellipse((inset, inset, size - inset, size - inset), fill=255)
    for degrees in (-33, -27) if has_notch else ():
        cx, cy = (size / 2 * (1 + 0.985 * f(np.radians(degrees))) for f in (np.cos, np.sin))
        draw.ellipse((cx - inset, cy - inset, cx + inset, cy + inset), fill=255)
    if cut:
        draw.rectangle((0, 0, size, size / 2 * cut), fill=0)
        draw.rectangle((0, size - size / 2 * cut, size, size), fill=0)
    small = opening.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.9))
    return np.asarray(small, dtype=np.float32) / 255


def center_in_frame(square: FloatArray, width: int, height: int) -> FloatArray:
    """Centre a (side, side, ...) image in a black frame; what does not fit is cropped."""
    side = square.shape[0]
    top, left = max(0, (side - height) // 2), max(0, (side - width) // 2)
    inner = square[top : top + height, left : left + width]
    frame = np.zeros((height, width, *square.shape[2:]), dtype=np.float32)
    y, x = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    frame[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return frame


def _grain(rng: np.random.Generator, width: int, height: int) -> FloatArray:
    """Sensor noise, in part smoothed over a few pixels by demosaicing."""
    smooth = rng.standard_normal((height // 4 + 1, width // 4 + 1, 3)).astype(np.float32)
    planes = [Image.fromarray(smooth[..., k]).resize((width, height), Image.Resampling.BICUBIC) for k in range(3)]
    coarse = np.stack([np.asarray(plane, dtype=np.float32) for plane in planes], axis=-1)
    fine: FloatArray = rng.standard_normal((height, width, 3)).astype(np.float32)
    return 0.7 * fine + 0.9 * coarse


def _noise(rng: np.random.Generator, side: int, cells: int) -> FloatArray:
    """Value noise on a grid of ``cells``: (side, side), about zero mean and unit deviation."""
    grain = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
    return np.asarray(grain.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)


def _soft(mask: FloatArray, blur_px: float) -> FloatArray:
    image = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur_px)), dtype=np.float32) / 255


def _edge(radius: FloatArray, at: float, width: float) -> FloatArray:
    """Smooth step from 1 inside to 0 outside, of the given width around ``at``."""
    step: FloatArray = (1 / (1 + np.exp(np.clip((radius - at) / (width / 2), -30, 30)))).astype(np.float32)
    return step


def _cover(image: FloatArray, alpha: FloatArray, color: tuple[int, int, int]) -> FloatArray:
    """Blend one colour over an image by ``alpha`` (side, side): (side, side, 3)."""
    if not alpha.any():
        return image
    weight = alpha[..., None].astype(np.float32)
    return image * (1 - weight) + np.array(color, dtype=np.float32) * weight
