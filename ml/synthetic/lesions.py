"""Lesions of diabetic retinopathy on a synthetic retina, as masks.

Coordinates are retina units of a right eye, as those of the vessels.
"""

from dataclasses import dataclass

import numpy as np

from ml.synthetic.canvas import Canvas, FloatArray, Point
from ml.synthetic.vessels import Vessel, paint_vessels
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


#: Number of lesions, fixed or (min, max), of the five grades on the ICDR scale (Wilkinson et al., Ophthalmology 2003).
#: Mild is microaneurysms only; severe meets the 4-2-1 rule by beading in two quadrants and IRMA in one; proliferative
#: is new vessels or preretinal haemorrhage. NB: random numbers are used in this order.
LESION_COUNTS: dict[str, tuple[int | tuple[int, int], ...]] = {
    "n_microaneurysms": (0, (5, 9), (14, 22), (34, 46), (38, 50)),
    "n_haemorrhages": (0, 0, (7, 12), (46, 60), (50, 64)),
    "n_flame_haemorrhages": (0, 0, (0, 1), (5, 8), (5, 8)),
    "n_exudate_clusters": (0, 0, (2, 4), (3, 5), (3, 5)),
    "n_cotton_wool_spots": (0, 0, (0, 1), (3, 5), (3, 5)),
    "n_beaded_quadrants": (0, 0, 0, 2, 3),
    "n_irma": (0, 0, 0, (2, 3), (3, 4)),
    "n_new_vessels": (0, 0, 0, 0, (2, 3)),
    "n_preretinal_haemorrhages": (0, 0, 0, 0, 1),
}


def lesions_for_grade(grade: ICDRGrade, rng: np.random.Generator) -> Lesions:
    """Random lesions that amount to exactly this grade."""
    counts = {name: of_grades[grade] for name, of_grades in LESION_COUNTS.items()}
    return Lesions(**{k: n if isinstance(n, int) else int(rng.integers(n[0], n[1] + 1)) for k, n in counts.items()})


class LesionPainter:
    """Paints the lesions of one eye; each method returns a mask (side, side) in [0, 1] of ``n`` lesions.

    Each kind of lesion has its own random stream, so that adding one kind never moves another.
    """

    def __init__(self, seed: int, side_px: int, *, disc: Point, fovea: Point) -> None:
        self.seed, self.side_px, self.disc, self.fovea = seed, side_px, disc, fovea

    def masks(self, lesions: Lesions) -> dict[str, FloatArray]:
        """Mask of each kind of lesion by name, except beading, which is a property of the veins."""
        painters = (
            self.microaneurysms,
            self.haemorrhages,
            self.flame_haemorrhages,
            self.exudate_clusters,
            self.cotton_wool_spots,
            self.irma,
            self.new_vessels,
            self.preretinal_haemorrhages,
        )
        return {
            paint.__name__: paint(np.random.default_rng([self.seed, stream]), getattr(lesions, f"n_{paint.__name__}"))
            for stream, paint in enumerate(painters, start=101)
        }

    def microaneurysms(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Round red dots under 125 micrometres, most of them temporal to the fovea and around it."""
        canvas = Canvas(self.side_px)
        for _ in range(n):
            at = self._posterior_pole(rng, spread=0.36)
            canvas.dot(at, rng.uniform(0.0042, 0.0075), int(rng.uniform(130, 235)))
        return canvas.mask(blur=0.0018)

    def haemorrhages(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Dot and blot haemorrhages: deep, roundish, with an uneven edge."""
        canvas = Canvas(self.side_px)
        for _ in range(n):
            x, y = self._posterior_pole(rng, spread=0.5)
            size = float(np.clip(rng.lognormal(np.log(0.0105), 0.5), 0.006, 0.034))
            _blob(canvas, rng, (x, y), size, int(rng.uniform(120, 225)))
            if size > 0.011:  # blood is thicker in the middle
                _blob(canvas, rng, (x + rng.normal(0, size / 5), y), size * 0.6, 245)
        return canvas.mask(blur=0.004)

    def flame_haemorrhages(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Flame haemorrhages: streaks along the nerve fibres, outwards from the optic disc."""
        canvas = Canvas(self.side_px)
        for _ in range(n):
            x, y = self._around_disc(rng, 0.25, 0.75)
            angle = np.arctan2(y - self.disc[1], x - self.disc[0])
            for _ in range(14):
                off, half, shift = rng.normal(0, 0.0055), rng.uniform(0.012, 0.034), rng.normal(0, 0.008)
                cx, cy = x - np.sin(angle) * off, y + np.cos(angle) * off
                start, end = ((cx + np.cos(angle) * a, cy + np.sin(angle) * a) for a in (shift - half, shift + half))
                canvas.line(start, end, 0.0045, int(rng.uniform(150, 235)))
        return canvas.mask(blur=0.003)

    def exudate_clusters(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Hard exudates: sharp yellow flecks in clusters and broken rings, mostly in the macula."""
        canvas = Canvas(self.side_px)
        for _ in range(n):
            cx, cy = self._posterior_pole(rng, spread=0.27)
            ring, start = rng.uniform(0.045, 0.1), rng.uniform(0, 2 * np.pi)
            is_ring = rng.random() < 0.5
            for _ in range(int(rng.integers(16, 42))):
                angle = start + rng.uniform(0, 4.4)
                radius = ring * rng.normal(1, 0.14) if is_ring else abs(rng.normal(0, ring * 0.6))
                spot = (cx + radius * np.cos(angle), cy + radius * np.sin(angle))
                size = float(np.clip(rng.lognormal(np.log(0.0042), 0.55), 0.0018, 0.014))
                _blob(canvas, rng, spot, size, int(rng.uniform(110, 250)))
        return canvas.mask(blur=0.0016)

    def cotton_wool_spots(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Cotton wool spots: soft white patches near the arcades that hide the vessels below."""
        canvas = Canvas(self.side_px)
        for _ in range(n):
            x, y = self._around_disc(rng, 0.3, 0.7)
            for _ in range(7):
                spot = (x + rng.normal(0, 0.014), y + rng.normal(0, 0.01))
                _blob(canvas, rng, spot, rng.uniform(0.008, 0.02), int(rng.uniform(150, 225)))
        return canvas.mask(blur=0.0075)

    def irma(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Intraretinal microvascular abnormalities (IRMA): short, fine, tortuous vessels."""
        vessels: list[Vessel] = []
        for _ in range(n):
            root = np.array(self._around_disc(rng, 0.4, 0.8))
            vessels.extend(_random_walk(rng, root + rng.normal(0, 0.018, 2)) for _ in range(5))
        return paint_vessels(vessels, self.side_px)

    def new_vessels(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Neovascularisation: fans of fine looping vessels, the first on the optic disc."""
        vessels: list[Vessel] = []
        for i in range(n):
            on_disc = i == 0
            root = np.array(self.disc if on_disc else self._around_disc(rng, 0.45, 0.75))
            facing, reach = rng.uniform(0, 2 * np.pi), (0.13 if on_disc else 0.1)
            angles = (facing + np.linspace(-1.5, 1.5, 13)).tolist()
            vessels.extend(_loop(rng, root, angle, reach * rng.uniform(0.7, 1.2)) for angle in angles)
        return paint_vessels(vessels, self.side_px)

    def preretinal_haemorrhages(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Preretinal haemorrhage: boat-shaped with a level top, opaque."""
        canvas = Canvas(self.side_px)
        for _ in range(n):
            x = self.fovea[0] + rng.uniform(-0.3, 0.15)
            y = self.fovea[1] + rng.uniform(0.34, 0.44)
            half, depth = rng.uniform(0.16, 0.22), rng.uniform(0.1, 0.15)
            t = np.linspace(0, np.pi, 40)
            wobble = 1 + 0.05 * np.sin(t * 5 + rng.uniform(0, 6))
            hull = [(x + half * np.cos(a), y + depth * np.sin(a) * w) for a, w in zip(t, wobble, strict=True)]
            canvas.polygon(hull, 255)
        return canvas.mask(blur=0.007)

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
            distance = rng.uniform(min_distance, max_distance)
            angle = np.radians(rng.uniform(30, 75)) * rng.choice((-1.0, 1.0))
            x, y = self.disc[0] - distance * np.cos(angle), self.disc[1] + distance * np.sin(angle)
            if np.hypot(x, y) < 0.86 and np.hypot(x - self.fovea[0], y - self.fovea[1]) > 0.2:
                return float(x), float(y)


def _blob(canvas: Canvas, rng: np.random.Generator, at: Point, size: float, ink: int) -> None:
    """An irregular round patch: a polygon whose radius is a sum of random waves."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = np.ones_like(t)
    for k in (1, 2, 3, 5):
        radius += rng.normal(0, 0.26 / k) * np.cos(k * t + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.35, 1.7) * size
    canvas.polygon(np.column_stack([at[0] + radius * np.cos(t), at[1] + radius * np.sin(t)]).tolist(), ink)


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
