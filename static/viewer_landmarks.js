// Suggests the optic disc and the fovea from the pixels of a photograph; a person can move both. Needs viewer_retina.js.
"use strict";

window.viewerLandmarks = (() => {
  const DISC = 0.125; // diameter of the disc as fraction of the retina of a photograph of 45 degrees
  const MIN_LIT = 36; // green and half of red, 0 to 382
  const REACH = 0.86; // of the radius of the retina: its bright edge is not searched
  // The fovea lies 15.5 degrees temporal and 1.5 degrees below the centre of the disc, which is 5.6 degrees wide
  // (Rohrschneider, Invest Ophthalmol Vis Sci 2004;45:3257).
  const TEMPORAL = 2.7; // disc diameters
  const BELOW = 0.27;

  // Sums over squares in constant time: sum[y][x] is that of all pixels above and left.
  function integral(values, width, height) {
    const sums = new Float64Array((width + 1) * (height + 1));
    for (let y = 0; y < height; y += 1) {
      let line = 0;
      for (let x = 0; x < width; x += 1) {
        line += values[y * width + x];
        sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + line;
      }
    }
    return (x, y, radius) => {
      const [left, top] = [Math.max(0, x - radius), Math.max(0, y - radius)];
      const [right, bottom] = [Math.min(width, x + radius + 1), Math.min(height, y + radius + 1)];
      const at = (column, row) => sums[row * (width + 1) + column];
      return at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
    };
  }

  // The point of a circle at which `score` is largest.
  function best([centreX, centreY, radius], isInside, score) {
    let found = [centreX, centreY, -Infinity];
    for (let y = Math.ceil(centreY - radius); y <= centreY + radius; y += 1) {
      for (let x = Math.ceil(centreX - radius); x <= centreX + radius; x += 1) {
        if (Math.hypot(x - centreX, y - centreY) > radius || !isInside(x, y)) continue;
        const value = score(x, y);
        if (value > found[2]) found = [x, y, value];
      }
    }
    return found;
  }

  /**
   * Disc {x, y, diameter} and fovea {x, y} in pixels of a photograph of `widthPx`; `laterality` OD or OS.
   * The disc is where a spot of its size is brighter than its surroundings, the fovea the darkest spot near its usual place.
   */
  function suggest(picture, box, laterality, widthPx) {
    const { width, height, data } = window.viewerRetina.pixelsOf(picture);
    const green = Float64Array.from({ length: width * height }, (_, i) => data[4 * i + 1] + 0.5 * data[4 * i]);
    const isLit = green.map((value) => Number(value > MIN_LIT)); // the dark frame does not count as surroundings
    const total = integral(green.map((value, i) => value * isLit[i]), width, height);
    const count = integral(isLit, width, height);
    const mean = (x, y, radius) => total(x, y, radius) / Math.max(1, count(x, y, radius));
    const retina = (box[2] - box[0]) * width;
    const [middleX, middleY] = [((box[0] + box[2]) / 2) * width, ((box[1] + box[3]) / 2) * height];
    const diameter = DISC * retina;
    const [inner, outer] = [Math.max(1, Math.round(diameter * 0.35)), Math.round(diameter * 1.4)];
    const isInside = (x, y) => x >= 0 && y >= 0 && x < width && y < height;
    const disc = best([middleX, middleY, (REACH * retina) / 2], isInside, (x, y) => mean(x, y, inner) - mean(x, y, outer));
    const side = laterality === "OS" ? 1 : -1;
    const usual = [disc[0] + side * TEMPORAL * diameter, disc[1] + BELOW * diameter, diameter * 0.6];
    const small = Math.max(1, Math.round(diameter * 0.2));
    const fovea = best(usual, isInside, (x, y) => -mean(x, y, small));
    const scale = widthPx / width;
    return {
      disc: { x: disc[0] * scale, y: disc[1] * scale, diameter: diameter * scale },
      fovea: { x: fovea[0] * scale, y: fovea[1] * scale },
    };
  }

  return { suggest };
})();
