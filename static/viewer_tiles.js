// The tiles of a photograph in a pane: in its resolution or one half, one quarter ... of it, as the zoom needs.
// Only those in view are loaded, a few at a time. Needs viewer_geometry.js.
"use strict";

window.viewerTiles = (() => {
  // As in ml/serving/files/tiles.py.
  const TILE_PX = 512;
  const SCREEN_PX = 1600; // longer side of the copy that is loaded first
  const MARGIN_PX = 64; // around the pane, CSS pixels
  const MAX_LOADING = 3; // the server answers few such requests at once
  const MAX_KEPT = 96; // tiles of a pane
  const WAIT_MS = 80; // between two choices of tiles, so that those of a passing zoom are not loaded
  const RETRY_MS = 3000;

  const all = new Set();
  let nLoading = 0;

  /** The levels of a photograph: [width, height] of each. */
  function levelsOf(width, height) {
    const sizes = [[width, height]];
    for (let [w, h] = sizes[0]; Math.max(w, h) > 2 * SCREEN_PX; sizes.push([w, h])) [w, h] = [Math.ceil(w / 2), Math.ceil(h / 2)];
    return sizes;
  }

  /** The lowest level of at least the resolution of the screen; `scale`: device pixels for one of the photograph. */
  function levelFor(scale, nLevels) {
    return Math.max(0, Math.min(nLevels - 1, Math.floor(Math.log2(1 / scale) + 0.001)));
  }

  class Tiles {
    constructor(pane) {
      this.pane = pane;
      this.layer = document.createElement("div");
      this.layer.className = "pane-tiles";
      pane.photo.parentElement.append(this.layer);
      this.forget();
      all.add(this);
    }

    /** Forget the tiles, before another photograph is shown. */
    forget() {
      this.tiles = new Map();
      this.wanted = [];
      this.layer.replaceChildren();
      this.failedAt = 0;
      this.levels = null;
    }

    /** Loaded tiles in view, coarse ones first: {key, image, box: left, top, width, height in pixels of the photograph}. */
    get loaded() {
      const [left, top, right, bottom] = this.view;
      const found = [...this.tiles.values()].filter(({ isLoaded, box: [x, y, width, height] }) => (
        isLoaded && x < right && y < bottom && x + width > left && y + height > top
      ));
      return found.toSorted((a, b) => b.level - a.level);
    }

    /** Move the tiles with the photograph, and choose those to load; `loupe`: x, y, radius, factor or null. */
    render({ isDrawn, loupe }) {
      const { pane } = this;
      const ratio = window.devicePixelRatio || 1;
      const enlarged = loupe ? loupe[3] : 1;
      const shownPx = Math.max(pane.widthPx, pane.heightPx) * pane.scale * ratio * enlarged;
      this.isNeeded = Boolean(pane.photo.dataset.tiles) && shownPx > SCREEN_PX && Math.max(pane.widthPx, pane.heightPx) > SCREEN_PX;
      this.layer.hidden = !this.isNeeded || isDrawn;
      if (!this.isNeeded) {
        this.wanted = [];
        return;
      }
      this.levels ||= levelsOf(pane.widthPx, pane.heightPx);
      this.level = levelFor(pane.scale * ratio * enlarged, this.levels.length);
      this.loupe = loupe;
      if (!this.layer.hidden) for (const tile of this.tiles.values()) this.move(tile);
      this.timer ||= setTimeout(() => this.choose(), WAIT_MS);
    }

    move({ image, size, box: [left, top, width, height] }) {
      const { pane } = this;
      const [x, y] = pane.origin;
      image.style.transform = `${pane.rotationCss}translate(${x + left * pane.scale}px, ${y + top * pane.scale}px) `
        + `scale(${(width * pane.scale) / size[0]}, ${(height * pane.scale) / size[1]})`;
    }

    // The part of the photograph in view, its pixels: left, top, right, bottom.
    get view() {
      const { pane, loupe } = this;
      const [width, height] = [pane.window.clientWidth, pane.window.clientHeight];
      const reach = loupe ? loupe[2] / loupe[3] : 0;
      const corners = loupe
        ? [[loupe[0] - reach, loupe[1] - reach], [loupe[0] + reach, loupe[1] + reach]]
        : [[-MARGIN_PX, -MARGIN_PX], [width + MARGIN_PX, -MARGIN_PX], [-MARGIN_PX, height + MARGIN_PX], [width + MARGIN_PX, height + MARGIN_PX]];
      const points = corners.map((corner) => pane.toPhoto(corner));
      const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
      return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    }

    choose() {
      this.timer = 0;
      this.wanted = [];
      if (!this.pane.isShown || !this.isNeeded || (this.failedAt && performance.now() < this.failedAt + RETRY_MS)) return;
      const [left, top, right, bottom] = this.view;
      const [width, height] = this.levels[this.level];
      const [sideX, sideY] = [(TILE_PX * this.pane.widthPx) / width, (TILE_PX * this.pane.heightPx) / height];
      const range = (low, high, side, total) => [Math.max(0, Math.floor(low / side)), Math.min(Math.ceil(total / TILE_PX) - 1, Math.floor(high / side))];
      const [[firstColumn, lastColumn], [firstRow, lastRow]] = [range(left, right, sideX, width), range(top, bottom, sideY, height)];
      const chosen = [];
      for (let row = firstRow; row <= lastRow; row += 1) {
        for (let column = firstColumn; column <= lastColumn; column += 1) {
          const key = `${this.level}/${row}/${column}`;
          const away = Math.hypot((column + 0.5) * sideX - (left + right) / 2, (row + 0.5) * sideY - (top + bottom) / 2);
          chosen.push({ key, level: this.level, row, column, away, side: [sideX, sideY] });
        }
      }
      this.inView = new Set(chosen.map((one) => one.key));
      this.wanted = chosen.filter((one) => !this.tiles.has(one.key)).toSorted((a, b) => a.away - b.away);
      this.drop();
      loadNext();
    }

    // The oldest tiles out of view make way.
    drop() {
      for (const [key, tile] of this.tiles) {
        if (this.tiles.size <= MAX_KEPT) return;
        if (this.inView.has(key) || !tile.isLoaded) continue;
        tile.image.remove();
        this.tiles.delete(key);
      }
    }

    load({ key, level, row, column, side }) {
      const { pane, tiles } = this;
      const [width, height] = this.levels[level];
      const size = [Math.min(TILE_PX, width - column * TILE_PX), Math.min(TILE_PX, height - row * TILE_PX)];
      const image = new Image(...size);
      const tile = {
        key, level, image, size, isLoaded: false,
        box: [column * side[0], row * side[1], (size[0] * side[0]) / TILE_PX, (size[1] * side[1]) / TILE_PX],
      };
      tiles.set(key, tile);
      image.alt = "";
      image.src = pane.photo.dataset.tiles.replace("0/0/0/", `${key}/`); // that of the first tile
      return image.decode().then(() => {
        if (tiles !== this.tiles || !tiles.has(key)) return;
        tile.isLoaded = true;
        this.move(tile);
        image.style.zIndex = String(this.levels.length - level); // a fine tile covers a coarse one
        this.layer.append(image);
        pane.showLoadProblem(false);
        window.viewer.schedule();
      }, () => {
        if (tiles !== this.tiles) return;
        tiles.delete(key);
        this.failedAt = performance.now();
        this.wanted = [];
        pane.showLoadProblem(true);
        setTimeout(() => window.viewer.schedule(), RETRY_MS);
      });
    }
  }

  function loadNext() {
    for (const layer of all) {
      if (!layer.layer.isConnected) all.delete(layer);
      while (nLoading < MAX_LOADING && layer.wanted.length) {
        nLoading += 1;
        layer.load(layer.wanted.shift()).finally(() => {
          nLoading -= 1;
          loadNext();
        });
      }
    }
  }

  return { Tiles, levelsOf, levelFor };
})();
