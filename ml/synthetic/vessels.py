"""Vessel trees of a synthetic retina: arteries and veins with their branches.

Coordinates are retina units (``ml.synthetic.canvas``) of a right eye (optic disc at positive x);
``ml.synthetic.fundus`` mirrors them for a left eye.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ml.synthetic.canvas import Canvas, FloatArray, Point

#: Length of one growth step, in retina units.
STEP = 0.012
#: A narrower vessel (about 25 micrometres in a 45 degree field) is a capillary and is not drawn.
MIN_WIDTH = 0.0036
#: Vessels stop at this distance from the fovea: the capillary-free zone and the last arterioles around it.
AVASCULAR_RADIUS = 0.13
#: Widths at the optic disc; their ratio is the 3 : 2 of a healthy eye.
VEIN_WIDTH, ARTERY_WIDTH = 0.0255, 0.0175
_CELLS = 220

_TEMPORAL_ARCADE = (
    (-0.02, 0.0),
    (-0.015, 0.06),
    (0.01, 0.14),
    (0.08, 0.28),
    (0.25, 0.45),
    (0.5, 0.56),
    (0.85, 0.6),
    (1.2, 0.6),
    (1.6, 0.54),
)
_NASAL_BRANCH = ((-0.03, 0.01), (-0.035, 0.05), (-0.045, 0.13), (-0.08, 0.29), (-0.17, 0.5), (-0.24, 0.8), (-0.28, 1.1))
_MACULAR_BRANCH = ((-0.01, 0.02), (0.05, 0.025), (0.15, 0.05), (0.3, 0.1), (0.42, 0.12), (0.52, 0.09))
_NASAL_MINOR_BRANCH = ((-0.03, 0.01), (-0.14, 0.05), (-0.25, 0.1), (-0.45, 0.2))


@dataclass(frozen=True, slots=True)
class Vessel:
    """One unbranched vessel: centre line (n, 2) and width at each point (n,), in retina units."""

    points: FloatArray
    widths: FloatArray
    is_vein: bool


@dataclass(slots=True)
class OccupancyGrid:
    """Vessels and the grid cells they occupy, with the landmarks of the eye."""

    rng: np.random.Generator
    disc: Point
    fovea: Point
    vessels: list[Vessel] = field(default_factory=list)
    owner: dict[tuple[bool, int, int], int] = field(default_factory=dict)

    def cell(self, point: FloatArray, *, is_vein: bool) -> tuple[bool, int, int]:
        return is_vein, int((float(point[0]) + 1.2) / 2.4 * _CELLS), int((float(point[1]) + 1.2) / 2.4 * _CELLS)

    def add(self, vessel: Vessel) -> int:
        """Number of the vessel, which occupies the free cells along its centre line."""
        number = len(self.vessels)
        self.vessels.append(vessel)
        for point in vessel.points:
            self.owner.setdefault(self.cell(point, is_vein=vessel.is_vein), number)
        return number


def grow_vessels(rng: np.random.Generator, *, disc: Point, fovea: Point, n_beaded_quadrants: int = 0) -> list[Vessel]:
    """Grow both vessel trees of one eye; up to four main veins are beaded."""
    grid = OccupancyGrid(rng, disc, fovea)
    trunks: list[tuple[int, int]] = []
    beaded = set(rng.permutation(4)[:n_beaded_quadrants].tolist())
    for is_vein in (True, False):
        for quadrant in range(4):
            trunk = _trunk(grid, quadrant=quadrant, is_vein=is_vein)
            if is_vein and quadrant in beaded:
                trunk = _beaded(trunk)
            trunks.append((grid.add(trunk), 0))
        for path in (_MACULAR_BRANCH, _NASAL_MINOR_BRANCH):
            for up in (1.0, -1.0):
                grid.add(_minor_branch(grid, path, up=up, is_vein=is_vein))
    queue = trunks
    while queue:
        number, depth = queue.pop(0)
        queue.extend((child, depth + 1) for child in _branches(grid, number, depth))
    return grid.vessels


def paint_vessels(vessels: list[Vessel], side_px: int, *, width_scale: float = 1.0) -> FloatArray:
    """Paint vessels on a square canvas: density (side, side) in [0, 1], thin ones fainter."""
    canvas = Canvas(side_px)
    for vessel in sorted(vessels, key=lambda v: float(v.widths[0])):
        points, widths = (vessel.points + 1) * canvas.scale, vessel.widths * canvas.scale * width_scale
        for start, end, width_px, width in zip(
            points, points[1:], widths.tolist(), vessel.widths.tolist(), strict=False
        ):
            (x0, y0), (x1, y1), r_px = start.tolist(), end.tolist(), width_px / 2
            ink = int(255 * min(1.0, max(0.22, (width / 0.019) ** 0.75)))
            canvas.draw.line((x0, y0, x1, y1), fill=ink, width=max(1, round(width_px)))
            canvas.draw.ellipse((x1 - r_px, y1 - r_px, x1 + r_px, y1 + r_px), fill=ink)
    return canvas.mask()


def _spline(control: FloatArray) -> FloatArray:
    """Catmull-Rom curve through (m, 2) points, resampled to steps of STEP: (n, 2)."""
    ends = np.vstack([2 * control[0] - control[1], control, 2 * control[-1] - control[-2]])
    t = np.linspace(0, 1, 40, endpoint=False)[:, None]
    segments = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        segments.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    curve = np.vstack([*segments, control[-1:]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    at = np.arange(0, along[-1], STEP)
    points: FloatArray = np.column_stack([np.interp(at, along, axis) for axis in curve.T]).astype(np.float32)
    return points


def _perturbed(rng: np.random.Generator, points: FloatArray, amount: float) -> FloatArray:
    """Displace a curve sideways by a smooth random wave."""
    n = len(points)
    knots = rng.standard_normal(max(4, n // 9)) * amount
    knots[0] = 0
    wave = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    wave = np.convolve(np.pad(wave, 4, mode="edge"), np.hanning(9) / np.hanning(9).sum(), mode="valid")
    along = np.gradient(points, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / (np.hypot(*along.T)[:, None] + 1e-6)
    shifted: FloatArray = (points + normal * wave[:, None]).astype(np.float32)
    return shifted


def _trunk(grid: OccupancyGrid, *, quadrant: int, is_vein: bool) -> Vessel:
    """Main vessel of a quadrant.

    0 superotemporal, 1 inferotemporal, 2 superonasal, 3 inferonasal.
    """
    rng = grid.rng
    shape = np.array(_TEMPORAL_ARCADE if quadrant < 2 else _NASAL_BRANCH)
    up = 1.0 if quadrant % 2 == 0 else -1.0
    shape = shape * rng.uniform(0.92, 1.08, (1, 2)) + rng.normal(0, 0.014, shape.shape) * (shape[:, 1:] > 0.2)
    if not is_vein:
        shape[:, 1] *= rng.uniform(0.84, 0.94)  # the artery lies inside the vein's arch
        shape[:3, 0] += 0.012
    control = np.column_stack([grid.disc[0] - shape[:, 0], grid.disc[1] - up * shape[:, 1]])
    points = _perturbed(rng, _spline(control.astype(np.float32)), 0.014 if is_vein else 0.011)
    points = points[np.hypot(*points.T) < 1.03]
    width = (VEIN_WIDTH if is_vein else ARTERY_WIDTH) * rng.uniform(0.9, 1.08) * (1.0 if quadrant < 2 else 0.72)
    widths = width * np.linspace(1, 0.28, len(points)) ** 0.9
    return Vessel(points, widths.astype(np.float32), is_vein)


def _minor_branch(grid: OccupancyGrid, shape: tuple[Point, ...], *, up: float, is_vein: bool) -> Vessel:
    rng = grid.rng
    path = np.array(shape) * rng.uniform(0.85, 1.15, (1, 2)) + rng.normal(0, 0.008, (len(shape), 2))
    control = np.column_stack([grid.disc[0] - path[:, 0], grid.disc[1] - up * path[:, 1] + 0.01])
    points = _perturbed(rng, _spline(control.astype(np.float32)), 0.012)
    points = points[np.hypot(points[:, 0] - grid.fovea[0], points[:, 1] - grid.fovea[1]) > AVASCULAR_RADIUS]
    widths = rng.uniform(0.0055, 0.0085) * np.linspace(1, 0.5, len(points))
    return Vessel(points, widths.astype(np.float32), is_vein)


def _beaded(vein: Vessel) -> Vessel:
    """Venous beading: the vein with periodic changes of calibre, away from the optic disc."""
    along = np.arange(len(vein.points)) * STEP
    wave = np.sin(along * 2 * np.pi / 0.062) * np.clip((along - 0.18) * 8, 0, 1)
    return Vessel(vein.points, (vein.widths * (1.06 + 0.34 * wave)).astype(np.float32), is_vein=True)


def _branches(grid: OccupancyGrid, number: int, depth: int) -> Iterator[int]:
    """Grow the side branches of one vessel; yields their numbers."""
    rng, parent = grid.rng, grid.vessels[number]
    if depth > 3:
        return
    at = rng.uniform(0.2, 0.3) if depth == 0 else rng.uniform(0.05, 0.14)
    side = 1.0 if rng.random() < 0.5 else -1.0
    while (i := int(at / STEP)) < len(parent.points) - 3:
        width = float(parent.widths[i]) * rng.uniform(0.42, 0.78)
        if width > MIN_WIDTH * 1.25:
            branch = _branch(grid, number, start=i, side=side, width=width)
            if branch is not None:
                yield grid.add(branch)
        side = -side if rng.random() < 0.8 else side
        at += rng.uniform(0.07, 0.17)


def _branch(grid: OccupancyGrid, number: int, *, start: int, side: float, width: float) -> Vessel | None:
    """Grow a branch by a random walk; None if too short.

    It is steered to the fovea inside the arcades, outwards elsewhere.
    """
    rng, parent = grid.rng, grid.vessels[number]
    ahead = parent.points[start + 2] - parent.points[start]
    heading = float(np.arctan2(ahead[1], ahead[0])) + side * np.radians(rng.uniform(28, 58))
    point = parent.points[start].astype(np.float64)
    to_fovea = np.arctan2(grid.fovea[1] - point[1], grid.fovea[0] - point[0])
    inward = np.cos(heading - to_fovea) > 0 and abs(float(point[1])) < 0.62
    n_steps = int(min(70, width * rng.uniform(45, 75) / STEP))
    path, drift = [point], 0.0
    for step in range(n_steps):
        target = grid.fovea if inward else (float(point[0]) * 2 - 0.7 * grid.disc[0], float(point[1]) * 2)
        bearing = np.arctan2(target[1] - point[1], target[0] - point[0])
        drift = 0.6 * drift + rng.normal(0, 0.07)
        heading += drift + 0.06 * np.sin(bearing - heading)
        point = point + STEP * np.array([np.cos(heading), np.sin(heading)])
        if np.hypot(*point) > 1.03 or np.hypot(*(point - grid.fovea)) < AVASCULAR_RADIUS:
            break
        occupant = grid.owner.get(grid.cell(point.astype(np.float32), is_vein=parent.is_vein), number)
        if step > 2 and occupant != number:
            break  # arteries do not cross arteries, nor veins veins
        path.append(point)
    if len(path) < 7:
        return None
    points = np.array(path, dtype=np.float32)
    widths = np.maximum(width * np.linspace(1, 0.45, len(points)), MIN_WIDTH * 0.8)
    return Vessel(points, widths.astype(np.float32), parent.is_vein)
