// Shapes of marks: reduces what a hand draws to few points, and the paths of a mark as SVG. No state.
"use strict";

window.viewerMarkShapes = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const POINT = 7; // radius of the sign of a point, CSS pixels
  const TOLERANCE = 1; // CSS pixels between a hand's line and the outline that is kept
  const TARGET_POINTS = 60;

  function element(name, attributes = {}) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }

  const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

  function distanceToLine(point, from, to) {
    const length = distance(from, to);
    if (length === 0) return distance(point, from);
    const along = ((point[0] - from[0]) * (to[0] - from[0]) + (point[1] - from[1]) * (to[1] - from[1])) / length ** 2;
    const t = Math.max(0, Math.min(1, along));
    return distance(point, [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])]);
  }

  // Ramer, Computer Graphics and Image Processing 1972; Douglas and Peucker, Cartographica 1973.
  function reduce(points, tolerance) {
    const kept = new Set([0, points.length - 1]);
    const open = [[0, points.length - 1]];
    while (open.length) {
      const [from, to] = open.pop();
      let [most, at] = [tolerance, -1];
      for (let i = from + 1; i < to; i += 1) {
        const away = distanceToLine(points[i], points[from], points[to]);
        if (away > most) [most, at] = [away, i];
      }
      if (at < 0) continue;
      kept.add(at);
      open.push([from, at], [at, to]);
    }
    return points.filter((_, i) => kept.has(i));
  }

  /** The outline of a hand-drawn line in few points; `scale`: CSS pixels for one unit of the points. */
  function outlineOf(points, scale) {
    let tolerance = TOLERANCE / scale;
    let outline = reduce(points, tolerance);
    while (outline.length > TARGET_POINTS) {
      tolerance *= 1.4;
      outline = reduce(outline, tolerance);
    }
    return outline;
  }

  const linesOf = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");

  function circlePath([x, y], radius) {
    return `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;
  }

  /** The path of a mark in pixels of a photograph of this size. A point has its own sign, see `isPoint`. */
  function pathOf(mark, width, height) {
    const points = mark.points.map(([x, y]) => [x * width, y * height]);
    if (mark.shape === "circle") return circlePath(points[0], mark.radius * width);
    if (mark.shape === "point") return `${circlePath([0, 0], POINT)}M0 ${-POINT}v4M0 ${POINT}v-4M${-POINT} 0h4M${POINT} 0h-4`;
    return `${linesOf(points)}z`;
  }

  /** The middle of a mark, in fractions. */
  function middleOf({ points }) {
    const sum = points.reduce((total, point) => [total[0] + point[0], total[1] + point[1]], [0, 0]);
    return sum.map((value) => value / points.length);
  }

  /** The mark moved by fractions; at the edge of the photograph it stops. */
  function movedBy(mark, dx, dy) {
    const [xs, ys] = [0, 1].map((axis) => mark.points.map((point) => point[axis]));
    const clamp = (by, values) => Math.max(-Math.min(...values), Math.min(1 - Math.max(...values), by));
    const [x, y] = [clamp(dx, xs), clamp(dy, ys)];
    return { ...mark, points: mark.points.map((point) => [round(point[0] + x), round(point[1] + y)]) };
  }

  const round = (value) => Math.min(1, Math.max(0, Math.round(value * 10000) / 10000));

  return { element, distance, outlineOf, linesOf, circlePath, pathOf, middleOf, movedBy, round };
})();
