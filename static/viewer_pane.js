// One pane of the viewer: geometry of the photograph in it, its layers and the resolution that is loaded.
// Needs heatmap.js, viewer_retina.js, viewer_gl.js and viewer_copy.js.
"use strict";

window.viewerPane = (() => {
  const MAX_SCALE = 4; // screen pixels for one pixel of the photograph
  const SAID_SCALE = 2; // above it, the pane says that the photograph is enlarged
  const LOUPE_RADIUS_PX = 110;
  const LOUPE_FACTOR = 2.5; // less, if the photograph would be enlarged beyond 2:1
  const SCREEN_PX = 1600; // longer side of the copy that is loaded first

  class Pane {
    constructor(root) {
      this.root = root;
      this.laterality = root.dataset.laterality || "";
      this.isSecond = "viewerSecond" in root.dataset;
      this.window = root.querySelector("[data-viewer-window]");
      this.photo = root.querySelector("[data-viewer-photo]");
      this.heatLayer = root.querySelector("[data-viewer-heat]");
      this.heatCanvas = this.heatLayer.querySelector("canvas");
      this.zoomLabel = root.querySelector("[data-viewer-zoom]");
      this.field = root.querySelector("[data-viewer-field]");
      this.heatNote = root.querySelector("[data-viewer-heat-note]");
      this.pointers = new Map();
      this.paintedFor = null;
      this.wholeFor = null;
      this.loupe = null; // position of the pointer in the pane, CSS pixels, while the loupe is on
      this.drawing = Pane.drawingFor(root.querySelector("[data-viewer-canvas]"));
      this.box = window.viewerRetina.WHOLE; // of the retina: left, top, right, bottom as fractions
      this.fit();
      this.photo.addEventListener("load", () => this.analyse());
      if (this.photo.complete && this.photo.naturalWidth) this.analyse();
    }

    // Without WebGL 2, or without a graphics card, a smaller copy is adjusted by the processor.
    static drawingFor(canvas) {
      if (window.viewerGl.isFast) return new window.viewerGl.Drawing(canvas);
      for (const node of document.querySelectorAll("[data-viewer-no-gl]")) node.hidden = false;
      return new window.viewerCopy.Drawing(canvas);
    }

    // The photograph fits the pane with its retina, without the dark frame.
    analyse() {
      if (!this.photoId || this.analysedFor === this.photoId) return;
      this.analysedFor = this.photoId;
      this.box = window.viewerRetina.findBox(this.photo);
      const { photoId } = this;
      createImageBitmap(this.photo).then((copy) => {
        if (photoId !== this.photoId) return;
        this.copy = copy; // of screen size, for the adjustments
        window.viewer.schedule();
      });
      if (!this.isZoomed) this.fit();
    }

    get photoId() {
      return this.root.dataset.photoId || "";
    }

    get isShown() {
      return this.window.clientWidth > 0 && Boolean(this.photoId);
    }

    get widthPx() {
      return Number(this.photo.getAttribute("width")) || this.photo.naturalWidth || 1;
    }

    get heightPx() {
      return Number(this.photo.getAttribute("height")) || this.photo.naturalHeight || 1;
    }

    get fitScale() {
      const [left, top, right, bottom] = this.box;
      return Math.min(
        this.window.clientWidth / (this.widthPx * (right - left)), this.window.clientHeight / (this.heightPx * (bottom - top)),
      );
    }

    get scale() {
      return this.fitScale * this.zoom;
    }

    /** Left and top of the photograph in the pane. */
    get origin() {
      return [
        this.window.clientWidth / 2 - this.centre[0] * this.widthPx * this.scale,
        this.window.clientHeight / 2 - this.centre[1] * this.heightPx * this.scale,
      ];
    }

    get actualZoom() {
      return 1 / (window.devicePixelRatio || 1) / this.fitScale;
    }

    get isZoomed() {
      return this.zoom > 1.001;
    }

    fit() {
      this.zoom = 1;
      const [left, top, right, bottom] = this.box;
      this.centre = [(left + right) / 2, (top + bottom) / 2];
    }

    /** Multiply the zoom; the point at (fractionX, fractionY) of the pane stays fixed. */
    zoomBy(factor, fractionX = 0.5, fractionY = 0.5) {
      const before = this.scale;
      const limit = Math.max(1, this.actualZoom * MAX_SCALE);
      this.zoom = Math.min(limit, Math.max(1, this.zoom * factor));
      const after = this.scale;
      const reachX = (fractionX - 0.5) * this.window.clientWidth;
      const reachY = (fractionY - 0.5) * this.window.clientHeight;
      this.centre[0] += (reachX / before - reachX / after) / this.widthPx;
      this.centre[1] += (reachY / before - reachY / after) / this.heightPx;
    }

    /** Move the photograph by fractions of the pane. */
    panBy(fractionX, fractionY) {
      this.centre[0] -= (fractionX * this.window.clientWidth) / (this.scale * this.widthPx);
      this.centre[1] -= (fractionY * this.window.clientHeight) / (this.scale * this.heightPx);
    }

    clamp() {
      const visible = [
        this.window.clientWidth / this.widthPx / this.scale, this.window.clientHeight / this.heightPx / this.scale,
      ];
      this.centre = this.centre.map((centre, i) => {
        const half = visible[i] / 2;
        const [low, high] = [this.box[i], this.box[i + 2]];
        return half >= (high - low) / 2 ? (low + high) / 2 : Math.min(high - half, Math.max(low + half, centre));
      });
    }

    render(state) {
      if (!this.isShown) return;
      this.clamp();
      const [x, y] = this.origin;
      for (const layer of [this.photo, this.heatLayer]) {
        layer.style.width = `${this.widthPx}px`;
        layer.style.height = `${this.heightPx}px`;
        layer.style.transform = `translate(${x}px, ${y}px) scale(${this.scale})`;
      }
      this.window.style.touchAction = this.isZoomed ? "none" : "pan-y";
      this.window.classList.toggle("is-zoomed", this.isZoomed);
      this.renderZoom();
      this.renderPhoto(state.lookOf(this.laterality));
      this.renderHeat(state);
    }

    renderZoom() {
      const factor = this.zoom / this.actualZoom;
      const isEnlarged = factor > SAID_SCALE + 0.001;
      const text = `${Math.round(factor * 100)} %`;
      this.zoomLabel.textContent = isEnlarged ? `${text} · ${this.zoomLabel.dataset.enlarged}` : text;
      this.zoomLabel.classList.toggle("is-enlarged", isEnlarged);
    }

    // Without adjustments the browser moves the picture itself, which never blocks the page.
    renderPhoto(look) {
      const { drawing } = this;
      const ratio = window.devicePixelRatio || 1;
      const loupe = this.loupe && drawing.hasLoupe && [...this.loupe, LOUPE_RADIUS_PX, this.loupeFactor];
      const shownPx = Math.max(this.widthPx, this.heightPx) * this.scale * ratio * (loupe ? loupe[3] : 1);
      const needsWhole = shownPx > SCREEN_PX;
      if (needsWhole) this.loadWhole();
      const isDrawn = Boolean(this.copy) && !drawing.isLost && (loupe || window.viewer.isAdjusted(look));
      this.photo.classList.toggle("is-under", Boolean(isDrawn));
      if (!isDrawn) return;
      if (!drawing.photo) drawing.show(this.copy, window.viewerRetina.findTables(this.copy, this.box));
      if (needsWhole) this.drawing.loadWhole(this.photo.dataset.wholeSrc, this.widthPx, this.heightPx);
      drawing.draw({
        width: this.window.clientWidth, height: this.window.clientHeight, box: this.box, look, loupe, needsWhole,
        place: [...this.origin, this.widthPx * this.scale, this.heightPx * this.scale],
      });
    }

    get loupeFactor() {
      return Math.max(1, Math.min(LOUPE_FACTOR, SAID_SCALE / (window.devicePixelRatio || 1) / this.scale));
    }

    // The copy for screens is replaced when it is too coarse for the zoom; a decoded picture is swapped in at once.
    loadWhole() {
      const { wholeSrc } = this.photo.dataset;
      if (!wholeSrc || this.wholeFor === wholeSrc) return;
      this.wholeFor = wholeSrc;
      const whole = new Image();
      whole.src = wholeSrc;
      whole.decode().then(() => {
        if (this.photo.dataset.wholeSrc === wholeSrc) this.photo.src = wholeSrc;
      }).catch(() => { this.wholeFor = null; });
    }

    renderHeat(state) {
      const isWanted = state.isHeatOn || state.isHeld;
      const map = isWanted ? window.heatmap.read(this.photoId, state.layer) : null;
      const painted = `${state.layer} ${this.photoId}`;
      if (map && this.paintedFor !== painted) {
        window.heatmap.draw(this.heatCanvas, map.rows);
        window.heatmap.position(this.heatCanvas, map.box);
        this.paintedFor = painted;
      }
      this.heatLayer.hidden = !map;
      this.heatLayer.style.opacity = String(state.opacity / 100);
      const { noGrade, noOedema } = this.heatNote.dataset;
      const note = isWanted ? map?.text || (state.layer === "grade" ? noGrade : noOedema) : "";
      this.heatNote.hidden = !isWanted;
      // A live region that is written again is read aloud again.
      if (this.heatNote.textContent !== note) this.heatNote.textContent = note;
    }

    /** Show the photograph of a button of the strip. */
    show(button) {
      const { photoId, src, wholeSrc, width, height, alt, caption } = button.dataset;
      if (photoId === this.photoId) return;
      this.forgetCopy();
      this.photo.src = src;
      this.photo.dataset.wholeSrc = wholeSrc;
      this.wholeFor = null;
      this.photo.alt = alt;
      this.photo.setAttribute("width", width);
      this.photo.setAttribute("height", height);
      this.root.dataset.photoId = photoId;
      this.field.textContent = caption;
      this.showEmpty("");
      this.box = window.viewerRetina.WHOLE;
      this.fit();
    }

    forgetCopy() {
      this.photo.classList.remove("is-under");
      this.drawing.forget();
      this.copy = null;
    }

    /** Say that there is nothing to show; an empty text removes the message. */
    showEmpty(text) {
      const note = this.root.querySelector("[data-viewer-empty]");
      if (text) {
        this.root.dataset.photoId = "";
        this.photo.removeAttribute("src");
        this.forgetCopy();
        this.analysedFor = null;
        this.photo.alt = "";
        this.field.textContent = "";
        this.zoomLabel.textContent = "";
        this.heatLayer.hidden = true;
      }
      note.textContent = text;
      note.hidden = !text;
    }
  }

  return { Pane };
})();
