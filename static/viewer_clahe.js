// Contrast-limited adaptive histogram equalisation (CLAHE) of the green channel: the tables of its tiles.
// Zuiderveld, Graphics Gems IV (1994), chapter VIII.5.
"use strict";

window.viewerClahe = (() => {
  const TILES = 8; // in each direction, over the box of the retina
  const LEVELS = 256;
  const CLIP = 2.5; // times the mean count of a level
  const MIN_LIT = 24; // 0 to 255: darker pixels are the frame and do not count
  const MIN_PIXELS = 64; // a tile with fewer lit pixels keeps its values

  // The counts above the limit are spread over all levels, so that noise of an even area is not enlarged.
  function tableOf(counts, total, table, start) {
    if (total < MIN_PIXELS) {
      for (let i = 0; i < LEVELS; i += 1) table[start + i] = i;
      return;
    }
    const limit = Math.max(1, (CLIP * total) / LEVELS);
    let excess = 0;
    for (let i = 0; i < LEVELS; i += 1) excess += Math.max(0, counts[i] - limit);
    let sum = 0;
    for (let i = 0; i < LEVELS; i += 1) {
      sum += Math.min(counts[i], limit) + excess / LEVELS;
      table[start + i] = Math.round((255 * sum) / total);
    }
  }

  /** Tables of all tiles, 256 bytes each, row by row. `box` of the retina: left, top, right, bottom as fractions. */
  function tablesOf({ width, height, data }, box) {
    const [left, top, right, bottom] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
    const counts = new Float64Array(TILES * TILES * LEVELS);
    const totals = new Float64Array(TILES * TILES);
    const tileOf = (at, low, high) => Math.min(TILES - 1, Math.max(0, Math.floor((TILES * (at - low)) / (high - low))));
    for (let y = 0; y < height; y += 1) {
      const row = tileOf(y + 0.5, top, bottom) * TILES;
      for (let x = 0; x < width; x += 1) {
        const at = 4 * (y * width + x);
        if (Math.max(data[at], data[at + 1], data[at + 2]) < MIN_LIT) continue;
        const tile = row + tileOf(x + 0.5, left, right);
        counts[tile * LEVELS + data[at + 1]] += 1;
        totals[tile] += 1;
      }
    }
    const tables = new Uint8Array(TILES * TILES * LEVELS);
    totals.forEach((total, tile) => {
      tableOf(counts.subarray(tile * LEVELS, (tile + 1) * LEVELS), total, tables, tile * LEVELS);
    });
    return tables;
  }

  /** The equalised value of `level` (0 to 255) at (u, v), fractions of the box; between tiles it is interpolated. */
  function equalise(tables, level, u, v) {
    const at = (fraction) => Math.min(TILES - 1, Math.max(0, fraction * TILES - 0.5));
    const [x, y] = [at(u), at(v)];
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const value = (c, r) => tables[(Math.min(TILES - 1, r) * TILES + Math.min(TILES - 1, c)) * LEVELS + level];
    const upper = value(column, row) + (x - column) * (value(column + 1, row) - value(column, row));
    const lower = value(column, row + 1) + (x - column) * (value(column + 1, row + 1) - value(column, row + 1));
    return upper + (y - row) * (lower - upper);
  }

  return { TILES, tablesOf, equalise };
})();
