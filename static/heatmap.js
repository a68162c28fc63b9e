// Paints the model's heatmap on a canvas. Its values are absolute, 0 to 1: they are not normalised to the maximum of
// the map, because an empty map must stay empty.
"use strict";

window.heatmap = (() => {
  const CANVAS_PX = 720; // about the longer side of the canvas; smooth between the grid's cell centres
  const CONTOUR_OF_MAX = 0.5; // a line at half of the map's maximum, so that colour is not the only cue
  const TRANSPARENT_BELOW = 0.05;

  // Value, red, green, blue. From deep blue to pale cyan: readable with every kind of colour blindness, and different
  // from the retina (orange background, red haemorrhages, yellow exudates). Perceptually uniform: equal steps of the
  // value are equal differences of colour in CIELAB.
  const ANCHORS = [
    [0.0, 16, 24, 92],
    [0.125, 22, 56, 139],
    [0.25, 23, 87, 169],
    [0.375, 21, 118, 189],
    [0.5, 30, 146, 203],
    [0.625, 46, 175, 215],
    [0.75, 89, 206, 227],
    [0.875, 161, 233, 240],
    [1.0, 222, 255, 250],
  ];

  function colourAt(value) {
    const v = Math.min(1, Math.max(0, value));
    let i = 1;
    while (i < ANCHORS.length - 1 && v > ANCHORS[i][0]) i += 1;
    const low = ANCHORS[i - 1];
    const high = ANCHORS[i];
    const t = (v - low[0]) / (high[0] - low[0]);
    return [1, 2, 3].map((c) => Math.round(low[c] + t * (high[c] - low[c])));
  }

  // Faint values stay nearly transparent so that an empty map does not tint the photograph.
  function alphaAt(value) {
    const t = Math.min(1, Math.max(0, (value - TRANSPARENT_BELOW) / 0.45));
    return t * t * (3 - 2 * t);
  }

  const TABLE = Array.from({ length: 256 }, (_, i) => [...colourAt(i / 255), Math.round(alphaAt(i / 255) * 255)]);
  const WHITE = [255, 255, 255, 255];
  const DARK = [8, 12, 46, 255];

  // Catmull-Rom interpolation keeps the values of the cells; linear interpolation would show diamonds.
  function sample(line, x) {
    const last = line.length - 1;
    const at = Math.min(last, Math.max(0, x));
    const i = Math.floor(at);
    const t = at - i;
    const [a, b, c, d] = [i - 1, i, i + 1, i + 2].map((k) => line[Math.min(last, Math.max(0, k))]);
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  }

  function stretch(line, cellPx) {
    return Float32Array.from({ length: line.length * cellPx }, (_, x) => sample(line, (x + 0.5) / cellPx - 0.5));
  }

  function upsample(rows, width, height, cellPx) {
    const wide = rows.map((row) => stretch(row, cellPx));
    const values = new Float32Array(width * height);
    for (let x = 0; x < width; x += 1) {
      const column = stretch(wide.map((row) => row[x]), cellPx);
      for (let y = 0; y < height; y += 1) values[y * width + x] = column[y];
    }
    return values;
  }

  // A map whose half maximum is invisible has no line.
  function contourLevel(values) {
    const level = CONTOUR_OF_MAX * values.reduce((a, b) => Math.max(a, b), 0);
    return level >= TRANSPARENT_BELOW ? level : Infinity;
  }

  // White with a dark side: visible on bright exudates and on the dark edge of the retina.
  function contourColour(values, width, at, level) {
    const isAbove = values[at] >= level;
    const isSame = [at - 1, at + 1, at - width, at + width].every((next) => isAbove === values[next] >= level);
    if (isSame) return null;
    if (isAbove) return WHITE;
    return values[at] > TRANSPARENT_BELOW ? DARK : null;
  }

  /** Paint `rows` (h x w numbers in [0, 1]) on `canvas`, which is resized to the upsampled grid; false: it is blocked. */
  function draw(canvas, rows) {
    const cellPx = Math.max(1, Math.round(CANVAS_PX / Math.max(rows.length, rows[0].length)));
    const width = rows[0].length * cellPx;
    const height = rows.length * cellPx;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (!context) return false;
    const picture = context.createImageData(width, height);
    const values = upsample(rows, width, height, cellPx);
    const level = contourLevel(values);
    for (let i = 0; i < values.length; i += 1) {
      const x = i % width;
      const isInside = x > 0 && x < width - 1 && i >= width && i < width * (height - 1);
      const line = isInside ? contourColour(values, width, i, level) : null;
      const colour = line || TABLE[Math.round(Math.min(1, Math.max(0, values[i])) * 255)];
      for (let c = 0; c < 4; c += 1) picture.data[i * 4 + c] = colour[c];
    }
    context.putImageData(picture, 0, 0);
    return true;
  }

  const ELEMENT_IDS = { grade: "heatmap-", oedema: "oedema-heatmap-" };

  /** The heatmap of a layer (grade or oedema) in the page for one photograph: {rows, box, text}, or null. */
  function read(photoId, layer) {
    const node = document.getElementById(`${ELEMENT_IDS[layer]}${photoId}`);
    return node ? JSON.parse(node.textContent) : null;
  }

  /** Position `canvas` over the photograph, its parent; box = left, top, right, bottom as fractions. */
  function position(canvas, box) {
    const [left, top, right, bottom] = box;
    canvas.style.left = `${left * 100}%`;
    canvas.style.top = `${top * 100}%`;
    canvas.style.width = `${(right - left) * 100}%`;
    canvas.style.height = `${(bottom - top) * 100}%`;
  }

  function paintLegend(canvas) {
    canvas.width = 256;
    canvas.height = 1;
    const context = canvas.getContext("2d");
    if (!context) return;
    TABLE.forEach(([red, green, blue], i) => {
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(i, 0, 1, 1);
    });
  }

  // A button of a thumbnail on the exam page: one for each layer, of which one is shown.
  function toggleOver(button) {
    const figure = document.getElementById(button.getAttribute("aria-controls"));
    const canvas = figure && figure.querySelector("canvas");
    const map = figure && read(figure.dataset.photoId, button.dataset.heatOver);
    if (!canvas || !map) return;
    const isOn = button.getAttribute("aria-pressed") !== "true";
    if (isOn) {
      draw(canvas, map.rows);
      position(canvas, map.box);
    }
    canvas.hidden = !isOn;
    for (const one of figure.parentElement.querySelectorAll("[data-heat-over]")) {
      one.setAttribute("aria-pressed", String(isOn && one === button));
    }
    const legend = figure.parentElement.querySelector("[data-heat-legend]");
    legend.hidden = !isOn;
    legend.querySelector("[data-heat-text]").textContent = isOn ? map.text : "";
    if (isOn) paintLegend(legend.querySelector("canvas"));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-heat-over]");
    if (button) toggleOver(button);
  });

  return { draw, read, position, paintLegend };
})();
