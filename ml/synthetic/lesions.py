"""Lesions of diabetic retinopathy on a synthetic retina, as masks.

Coordinates are those of ``ml.synthetic.vessels``: retina units, right eye.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.synthetic.vessels import FloatArray, Point, Vessel, paint_vessels
from ml.vocabulary import ICDRGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesions:
    """Number of lesions of each kind."""

    n_microaneurysms: int = 0
    n_haemorrhages: int = 0
    n_flame_haemorrhages: int = 0
    n_exudate_clusters: int = 0
    n_cotton_wool_spots: int = 0
    n_beaded_quadrants: int = 0
    n_irma: int = 0
    n_new_vessels: int = 0
    n_preretinal_haemorrhages: int = 0

    @property
    def n_total(self) -> int:
        return sum(getattr(self, name) for name in self.__slots__)


#: Number of lesions, fixed or (min, max), of each grade on the ICDR scale (Wilkinson et al., Ophthalmology 2003).
#: Mild is microaneurysms only; severe meets the 4-2-1 rule by beading in two quadrants and IRMA in one; proliferative
#: is new vessels or preretinal haemorrhage. NB: random numbers are used in this order.
LESION_COUNTS: dict[ICDRGrade, dict[str, int | tuple[int, int]]] = {
    ICDRGrade.NONE: {},
    ICDRGrade.MILD: {"n_microaneurysms": (5, 9)},
    ICDRGrade.MODERATE: {
        "n_microaneurysms": (14, 22),
        "n_haemorrhages": (7, 12),
        "n_flame_haemorrhages": (0, 1),
        "n_exudate_clusters": (2, 4),
        "n_cotton_wool_spots": (0, 1),
    },
    ICDRGrade.SEVERE: {
        "n_microaneurysms": (34, 46),
        "n_haemorrhages": (46, 60),
        "n_flame_haemorrhages": (5, 8),
        "n_exudate_clusters": (3, 5),
        "n_cotton_wool_spots": (3, 5),
        "n_beaded_quadrants": 2,
        "n_irma": (2, 3),
    },
    ICDRGrade.PROLIFERATIVE: {
        "n_microaneurysms": (38, 50),
        "n_haemorrhages": (50, 64),
        "n_flame_haemorrhages": (5, 8),
        "n_exudate_clusters": (3, 5),
        "n_cotton_wool_spots": (3, 5),
        "n_beaded_quadrants": 3,
        "n_irma": (3, 4),
        "n_new_vessels": (2, 3),
        "n_preretinal_haemorrhages": 1,
    },
}


def lesions_for_grade(grade: ICDRGrade, rng: np.random.Generator) -> Lesions:
    """Random lesions that amount to exactly this grade."""
    counts = LESION_COUNTS[grade].items()
    return Lesions(**{name: n if isinstance(n, int) else int(rng.integers(n[0], n[1] + 1)) for name, n in counts})


class LesionPainter:
    """Paints the lesions of one eye; each method returns a mask (side, side) in [0, 1].

    Each kind of lesion has its own random stream, so that adding one kind never moves another.
    """

    def __init__(self, seed: int, side_px: int, *, disc: Point, fovea: Point) -> None:
        self.seed, self.side_px, self.disc, self.fovea = seed, side_px, disc, fovea

    def microaneurysms(self, n: int) -> FloatArray:
        """Round red dots under 125 micrometres, most of them temporal to the fovea and around it."""
        rng = self._rng(1)

        def dots(draw: ImageDraw.ImageDraw, scale: float) -> None:
            for _ in range(n):
                x, y = self._posterior_pole(rng, spread=0.36)
                r = rng.uniform(0.0042, 0.0075) * scale
                _dot(draw, x, y, r, scale, int(rng.uniform(130, 235)))

        return self._mask(dots, blur=0.0018)

    def haemorrhages(self, n: int) -> FloatArray:
        """Dot and blot haemorrhages: deep, roundish, with an uneven edge."""
        rng = self._rng(2)

        def blots(draw: ImageDraw.ImageDraw, scale: float) -> None:
            for _ in range(n):
                x, y = self._posterior_pole(rng, spread=0.5)
                size = float(np.clip(rng.lognormal(np.log(0.0105), 0.5), 0.006, 0.034))
                _blob(draw, rng, (x, y), size, scale, int(rng.uniform(120, 225)))
                if size > 0.011:  # blood is thicker in the middle
                    _blob(draw, rng, (x + rng.normal(0, size / 5), y), size * 0.6, scale, 245)

        return self._mask(blots, blur=0.004)

    def flame_haemorrhages(self, n: int) -> FloatArray:
        """Flame haemorrhages: streaks along the nerve fibres, outwards from the optic disc."""
        rng = self._rng(3)

        def flames(draw: ImageDraw.ImageDraw, scale: float) -> None:
            for _ in range(n):
                x, y = self._around_disc(rng, 0.25, 0.75)
                angle = np.arctan2(y - self.disc[1], x - self.disc[0])
                for _ in range(14):
                    off, half, shift = rng.normal(0, 0.0055), rng.uniform(0.012, 0.034), rng.normal(0, 0.008)
                    cx, cy = x - np.sin(angle) * off, y + np.cos(angle) * off
                    ends = [(cx + np.cos(angle) * a, cy + np.sin(angle) * a) for a in (shift - half, shift + half)]
                    _line(draw, ends[0], ends[1], 0.0045, scale, int(rng.uniform(150, 235)))

        return self._mask(flames, blur=0.003)

    def exudates(self, n_clusters: int) -> FloatArray:
        """Hard exudates: sharp yellow flecks in clusters and broken rings, mostly in the macula."""
        rng = self._rng(4)

        def flecks(draw: ImageDraw.ImageDraw, scale: float) -> None:
            for _ in range(n_clusters):
                cx, cy = self._posterior_pole(rng, spread=0.27)
                ring, start = rng.uniform(0.045, 0.1), rng.uniform(0, 2 * np.pi)
                is_ring = rng.random() < 0.5
                for _ in range(int(rng.integers(16, 42))):
                    angle = start + rng.uniform(0, 4.4)
                    radius = ring * rng.normal(1, 0.14) if is_ring else abs(rng.normal(0, ring * 0.6))
                    spot = (cx + radius * np.cos(angle), cy + radius * np.sin(angle))
                    size = float(np.clip(rng.lognormal(np.log(0.0042), 0.55), 0.0018, 0.014))
                    _blob(draw, rng, spot, size, scale, int(rng.uniform(110, 250)))

        return self._mask(flecks, blur=0.0016)

    def cotton_wool_spots(self, n: int) -> FloatArray:
        """Cotton wool spots: soft white patches near the arcades that hide the vessels below."""
        rng = self._rng(5)

        def patches(draw: ImageDraw.ImageDraw, scale: float) -> None:
            for _ in range(n):
                x, y = self._around_disc(rng, 0.3, 0.7)
                for _ in range(7):
                    spot = (x + rng.normal(0, 0.014), y + rng.normal(0, 0.01))
                    _blob(draw, rng, spot, rng.uniform(0.008, 0.02), scale, int(rng.uniform(150, 225)))

        return self._mask(patches, blur=0.0075)

    def irma(self, n: int) -> FloatArray:
        """Intraretinal microvascular abnormalities (IRMA): short, fine, tortuous vessels."""
        rng = self._rng(6)
        vessels: list[Vessel] = []
        for _ in range(n):
            root = np.array(self._around_disc(rng, 0.4, 0.8))
            vessels.extend(_random_walk(rng, root + rng.normal(0, 0.018, 2)) for _ in range(5))
        return paint_vessels(vessels, self.side_px)

    def new_vessels(self, n: int) -> FloatArray:
        """Neovascularisation: fans of fine looping vessels, the first on the optic disc."""
        rng = self._rng(7)
        vessels: list[Vessel] = []
        for i in range(n):
            on_disc = i == 0
            root = np.array(self.disc if on_disc else self._around_disc(rng, 0.45, 0.75))
            facing, reach = rng.uniform(0, 2 * np.pi), (0.13 if on_disc else 0.1)
            angles = (facing + np.linspace(-1.5, 1.5, 13)).tolist()
            vessels.extend(_loop(rng, root, angle, reach * rng.uniform(0.7, 1.2)) for angle in angles)
        return paint_vessels(vessels, self.side_px)

    def preretinal_haemorrhages(self, n: int) -> FloatArray:
        """Preretinal haemorrhage: boat-shaped with a level top, opaque."""
        rng = self._rng(8)

        def haemorrhages(draw: ImageDraw.ImageDraw, scale: float) -> None:
            for _ in range(n):
                x = self.fovea[0] + rng.uniform(-0.3, 0.15)
                y = self.fovea[1] + rng.uniform(0.34, 0.44)
                half, depth = rng.uniform(0.16, 0.22), rng.uniform(0.1, 0.15)
                t = np.linspace(0, np.pi, 40)
                wobble = 1 + 0.05 * np.sin(t * 5 + rng.uniform(0, 6))
                hull = [(x + half * np.cos(a), y + depth * np.sin(a) * w) for a, w in zip(t, wobble, strict=True)]
                draw.polygon([((px + 1) * scale, (py + 1) * scale) for px, py in hull], fill=255)

        return self._mask(haemorrhages, blur=0.007)

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 100 + stream])

    def _posterior_pole(self, rng: np.random.Generator, *, spread: float) -> Point:
        """A point in the posterior pole, outside the optic disc and the centre of the fovea."""
        while True:
            x = self.fovea[0] - 0.08 + rng.normal(0, spread)
            y = self.fovea[1] + rng.normal(0, spread * 0.85)
            is_on_disc = np.hypot(x - self.disc[0], y - self.disc[1]) < 0.2
            if np.hypot(x, y) < 0.92 and not is_on_disc and np.hypot(x - self.fovea[0], y - self.fovea[1]) > 0.05:
                return x, y

    def _around_disc(self, rng: np.random.Generator, min_distance: float, max_distance: float) -> Point:
        """A point near the temporal arcades, within these distances from the optic disc."""
        while True:
            distance, angle = (
                rng.uniform(min_distance, max_distance),
                np.radians(rng.uniform(30, 75)) * rng.choice((-1.0, 1.0)),
            )
            x, y = self.disc[0] - distance * np.cos(angle), self.disc[1] + distance * np.sin(angle)
            if np.hypot(x, y) < 0.86 and np.hypot(x - self.fovea[0], y - self.fovea[1]) > 0.2:
                return float(x), float(y)

    def _mask(self, paint: Callable[[ImageDraw.ImageDraw, float], None], *, blur: float) -> FloatArray:
        zoom = 2
        canvas = Image.new("L", (self.side_px * zoom, self.side_px * zoom))
        scale = self.side_px * zoom / 2
        paint(ImageDraw.Draw(canvas), scale)
        if canvas.getbbox() is None:  # no lesion: skip the resampling
            return np.zeros((self.side_px, self.side_px), dtype=np.float32)
        small = canvas.resize((self.side_px, self.side_px), Image.Resampling.BOX)
        small = small.filter(ImageFilter.GaussianBlur(blur * self.side_px / 2))
        return np.asarray(small, dtype=np.float32) / 255


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, r_px: float, scale: float, ink: int) -> None:
    cx, cy = (x + 1) * scale, (y + 1) * scale
    draw.ellipse((cx - r_px, cy - r_px, cx + r_px, cy + r_px), fill=ink)


def _line(draw: ImageDraw.ImageDraw, start: Point, end: Point, width: float, scale: float, ink: int) -> None:
    ends = ((start[0] + 1) * scale, (start[1] + 1) * scale, (end[0] + 1) * scale, (end[1] + 1) * scale)
    draw.line(ends, fill=ink, width=max(1, round(width * scale)))


def _blob(draw: ImageDraw.ImageDraw, rng: np.random.Generator, at: Point, size: float, scale: float, ink: int) -> None:
    """An irregular round patch: a polygon whose radius is a sum of random waves."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = np.ones_like(t)
    for k in (1, 2, 3, 5):
        radius += rng.normal(0, 0.26 / k) * np.cos(k * t + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.35, 1.7) * size
    outline = np.column_stack([at[0] + radius * np.cos(t), at[1] + radius * np.sin(t)])
    draw.polygon([((px + 1) * scale, (py + 1) * scale) for px, py in outline.tolist()], fill=ink)


def _random_walk(rng: np.random.Generator, root: FloatArray) -> Vessel:
    """A short fine vessel that changes direction at every step: a random walk."""
    n_steps, step = 26, 0.0042
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.62, n_steps))
    points = root + np.cumsum(step * np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)
    return Vessel(points.astype(np.float32), np.full(n_steps, 0.0038, dtype=np.float32), is_vein=True)


def _loop(rng: np.random.Generator, root: FloatArray, angle: float, reach: float) -> Vessel:
    """A vessel that runs out and partly back: a loop of a neovascular frond."""
    t = np.linspace(0, 1, 34)
    out = np.sin(t * np.pi * 0.78) * reach
    swing = angle + 0.5 * t * rng.choice((-1, 1)) + 0.16 * np.sin(t * rng.uniform(12, 22) + rng.uniform(0, 6))
    points = root + np.column_stack([out * np.cos(swing), out * np.sin(swing)])
    widths = np.linspace(0.0062, 0.0036, len(t))
    return Vessel(points.astype(np.float32), widths.astype(np.float32), is_vein=True)
