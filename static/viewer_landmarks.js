// Landmarks of the photographs: optic disc and fovea, suggested from the pixels; a person can move them.
// Needs viewer_retina.js.
"use strict";

window.viewerLandmarks = (() => {
  const DISC = 0.125; // diameter of the disc as fraction of the retina of a photograph of 45 degrees
  const MIN_LIT = 36; // green and half of red, 0 to 382
  const REACH = 0.86; // of the radius of the retina: its bright edge is not searched
  // The centre of the disc and the fovea are 2.65 (SD 0.30) disc diameters apart (R. A. Jonas et al., PLoS ONE
  // 2015;10:e0138701); the line between them falls by 5.6 (SD 3.3) degrees (Rohrschneider, Invest Ophthalmol Vis Sci
  // 2004;45:3257). Eyes differ too much for more than a suggestion.
  const TEMPORAL = 2.64; // disc diameters
  const BELOW = 0.26;
  // 57 of 59 photographs of IDRiD have these contrasts; their discs are at most 0.33 disc diameters from the outlined ones.
  const MIN_DISC_CONTRAST = 0.2; // brighter than its surroundings, as fraction of them
  const FOVEA_CONTRASTS = [0.05, 0.6]; // darker than its surroundings; above: it is the frame around the retina

  const marks = new Map(); // of each photograph, by its id
  const stored = new Map(); // as the form has them, in fractions of width and height
  const pending = new Set();

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

  // The point of a circle at which `score` is largest; every `step`-th one is tried.
  function best([centreX, centreY, radius], isInside, score, step = 1) {
    let found = [centreX, centreY, -Infinity];
    for (let y = Math.ceil(centreY - radius); y <= centreY + radius; y += step) {
      for (let x = Math.ceil(centreX - radius); x <= centreX + radius; x += step) {
        if (Math.hypot(x - centreX, y - centreY) > radius || !isInside(x, y)) continue;
        const value = score(x, y);
        if (value > found[2]) found = [x, y, value];
      }
    }
    return found;
  }

  const sideOf = (laterality) => (laterality === "OS" ? 1 : -1); // of the fovea, from the disc

  // The usual places in a photograph of the macula, to be moved by a person.
  function unfound(picture, [left, top, right, bottom], laterality, widthPx) {
    const heightPx = (widthPx * picture.height) / picture.width;
    const [x, y] = [((left + right) / 2) * widthPx, ((top + bottom) / 2) * heightPx];
    const diameter = DISC * (right - left) * widthPx;
    const disc = { x: x - sideOf(laterality) * TEMPORAL * diameter, y: y - BELOW * diameter, diameter };
    return { isFound: false, isMoved: false, disc, fovea: { x, y } };
  }

  /**
   * Disc {x, y, diameter} and fovea {x, y} in pixels of a photograph of `widthPx`; `laterality` OD or OS. `isFound`:
   * both look like it.
   * The disc is where a spot of its size is brighter than its surroundings, the fovea the darkest spot near its usual place.
   */
  function suggest(picture, box, laterality, widthPx) {
    if (!window.viewerRetina.canRead) return unfound(picture, box, laterality, widthPx);
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
    const brightness = (x, y) => mean(x, y, inner) - mean(x, y, outer);
    const near = best([middleX, middleY, (REACH * retina) / 2], isInside, brightness, 3);
    const disc = best([near[0], near[1], 3], isInside, brightness);
    const side = sideOf(laterality);
    const usual = [disc[0] + side * TEMPORAL * diameter, disc[1] + BELOW * diameter, diameter * 0.6];
    const small = Math.max(1, Math.round(diameter * 0.2));
    const fovea = best(usual, isInside, (x, y) => -mean(x, y, small));
    const scale = widthPx / width;
    const contrast = 1 - mean(fovea[0], fovea[1], small) / mean(fovea[0], fovea[1], Math.round(diameter));
    const isFound = disc[2] > MIN_DISC_CONTRAST * mean(disc[0], disc[1], outer)
      && contrast > FOVEA_CONTRASTS[0] && contrast < FOVEA_CONTRASTS[1];
    if (!isFound) return unfound(picture, box, laterality, widthPx);
    return {
      isFound,
      isMoved: false,
      disc: { x: disc[0] * scale, y: disc[1] * scale, diameter: diameter * scale },
      fovea: { x: fovea[0] * scale, y: fovea[1] * scale },
    };
  }

  /** The landmarks of the photograph in a pane, suggested or moved; undefined until they are computed, soon after. */
  function marksOf(pane) {
    const { photoId, copy, box, laterality, widthPx, heightPx } = pane;
    if (!marks.has(photoId) && stored.has(photoId)) marks.set(photoId, inPixels(stored.get(photoId), widthPx, heightPx));
    if (!marks.has(photoId) && copy && !pending.has(photoId)) {
      pending.add(photoId);
      setTimeout(() => { // not in a drawing of the photographs
        if (!marks.has(photoId)) marks.set(photoId, suggest(copy, box, laterality, widthPx));
        window.viewer.schedule();
      });
    }
    return marks.get(photoId);
  }

  /** As `marksOf`, but null if they were not found and no person has moved them. */
  function of(pane) {
    const found = marksOf(pane);
    return found && !found.isFound && !found.isMoved ? null : found;
  }

  function inPixels({ disc, diameter, fovea }, widthPx, heightPx) {
    return {
      isFound: true,
      isMoved: true,
      disc: { x: disc[0] * widthPx, y: disc[1] * heightPx, diameter: diameter * widthPx },
      fovea: { x: fovea[0] * widthPx, y: fovea[1] * heightPx },
    };
  }

  const rounded = (value) => Math.round(value * 10000) / 10000;

  function inFractions({ disc, fovea }, widthPx, heightPx) {
    return {
      disc: [rounded(disc.x / widthPx), rounded(disc.y / heightPx)],
      diameter: rounded(disc.diameter / widthPx),
      fovea: [rounded(fovea.x / widthPx), rounded(fovea.y / heightPx)],
    };
  }

  // The form field of the eye's photographs; none for a photograph of an earlier visit, and if the review is signed.
  function inputOf(pane) {
    const inputs = [...document.querySelectorAll("input[data-landmarks]")];
    const input = inputs.find((one) => one.dataset.images.split(" ").includes(pane.photoId));
    const amendment = input?.closest("[data-amendment]");
    return amendment && !amendment.open ? null : input;
  }

  const isStored = (pane) => Boolean(inputOf(pane));

  function parsed(text) {
    try {
      return Object.entries(JSON.parse(text || "{}"));
    } catch {
      return []; // the server refuses it with a reason
    }
  }

  /** Keep the moved landmarks of a photograph in the form, which is saved as a draft. */
  function store(pane) {
    const [input, moved] = [inputOf(pane), marks.get(pane.photoId)];
    if (!input || !moved?.isMoved) return;
    const values = inFractions(moved, pane.widthPx, pane.heightPx);
    input.value = JSON.stringify(Object.fromEntries([...parsed(input.value), [pane.photoId, values]]));
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Those of the earlier visit, of the draft or of the saved reading; after loading and after the panel was replaced.
  function load() {
    for (const { dataset, value } of document.querySelectorAll("input[data-landmarks]")) {
      for (const [photoId, values] of [...parsed(dataset.earlier), ...parsed(value)]) {
        stored.set(photoId, values);
        marks.delete(photoId);
        pending.delete(photoId);
      }
    }
    window.viewer.schedule();
  }

  document.addEventListener("DOMContentLoaded", load);
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target.id === "reading-panel") load(); });

  return { suggest, marksOf, of, store, isStored };
})();
