// What a photograph shows, found from its pixels in the browser. Needs viewer_clahe.js and viewer_geometry.js.
"use strict";

window.viewerRetina = (() => {
  const SIDE_PX = 256; // longer side of the copy that is analysed
  const TABLES_PX = 512; // longer side of the copy whose histograms are counted
  const MIN_LIT = 24; // 0 to 255: the largest channel of a lit pixel; the frame around the retina is darker
  const MIN_LIT_FRACTION = 0.04; // of a row or column
  const MARGIN = 0.01; // of the photograph, around the retina
  // Protection against fingerprinting blocks canvas, or changes what is read from it.
  function canReadPixels() {
    try {
      const context = new OffscreenCanvas(4, 4).getContext("2d");
      context.fillStyle = "#12c845";
      context.fillRect(0, 0, 4, 4);
      const { data } = context.getImageData(0, 0, 4, 4);
      return data.every((value, i) => value === [0x12, 0xc8, 0x45, 0xff][i % 4]);
    } catch {
      return false;
    }
  }

  const canRead = canReadPixels();

  function pixelsOf(picture, sidePx = SIDE_PX) {
    const [fullWidth, fullHeight] = [picture.naturalWidth || picture.width, picture.naturalHeight || picture.height];
    const factor = Math.min(1, sidePx / Math.max(fullWidth, fullHeight));
    const width = Math.max(1, Math.round(fullWidth * factor));
    const height = Math.max(1, Math.round(fullHeight * factor));
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0, width, height);
    return { width, height, data: context.getImageData(0, 0, width, height).data };
  }

  function litRange(counts, length) {
    const isLit = (n) => n > MIN_LIT_FRACTION * length;
    const first = counts.findIndex(isLit);
    return first < 0 ? null : [first / counts.length, (counts.findLastIndex(isLit) + 1) / counts.length];
  }

  /** The box of the retina: left, top, right, bottom as fractions; the whole photograph if none is found. */
  function boxOf({ width, height, data }) {
    const columns = Array.from({ length: width }, () => 0);
    const rows = Array.from({ length: height }, () => 0);
    for (let i = 0; i < width * height; i += 1) {
      if (Math.max(data[4 * i], data[4 * i + 1], data[4 * i + 2]) < MIN_LIT) continue;
      columns[i % width] += 1;
      rows[Math.floor(i / width)] += 1;
    }
    const [across, down] = [litRange(columns, height), litRange(rows, width)];
    if (!across || !down) return window.viewerGeometry.WHOLE;
    const widened = ([low, high]) => [Math.max(0, low - MARGIN), Math.min(1, high + MARGIN)];
    const [[left, right], [top, bottom]] = [widened(across), widened(down)];
    return [left, top, right, bottom];
  }

  /** The box of the retina of a loaded picture. */
  const findBox = (picture) => (canRead ? boxOf(pixelsOf(picture)) : window.viewerGeometry.WHOLE);

  /** Tables of the local contrast of a loaded picture. */
  const findTables = (picture, box) => window.viewerClahe.tablesOf(pixelsOf(picture, TABLES_PX), box);

  return { findBox, findTables, pixelsOf, canRead };
})();
