// One pane of the viewer: the layers of the photograph in it and the resolution that is loaded.
// Needs heatmap.js, viewer_geometry.js, viewer_retina.js, viewer_tiles.js, viewer_gl.js,
// viewer_copy.js and viewer_filter.js.
"use strict";

window.viewerPane = (() => {
  const SAID_SCALE = 2; // above it, the pane says that the photograph is enlarged
  const LOUPE_RADIUS_PX = 110;
  const LOUPE_FACTOR = 2.5; // less, if the photograph would be enlarged beyond 2:1

  class Pane extends window.viewerGeometry.Geometry {
    constructor(root) {
      super();
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
      this.loupe = null; // position of the pointer in the pane, CSS pixels, while the loupe is on
      this.drawing = Pane.drawingFor(root.querySelector("[data-viewer-canvas]"));
      this.tiles = new window.viewerTiles.Tiles(this);
      this.photo.addEventListener("load", () => this.analyse());
      if (this.photo.complete && this.photo.naturalWidth) this.analyse();
    }

    // Without WebGL 2, or without a graphics card, a smaller copy is adjusted by the processor; without canvas, the
    // browser adjusts the picture.
    static drawingFor(canvas) {
      if (!window.viewerRetina.canRead) {
        for (const node of document.querySelectorAll("[data-viewer-no-canvas]")) node.hidden = false;
        return new window.viewerFilter.Drawing(canvas);
      }
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

    render(state) {
      if (!this.isShown) return;
      const [x, y] = this.origin;
      for (const layer of [this.photo, this.heatLayer]) {
        layer.style.width = `${this.widthPx}px`;
        layer.style.height = `${this.heightPx}px`;
        layer.style.transform = `${this.rotationCss}translate(${x}px, ${y}px) scale(${this.scale})`;
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
      if (this.drawing.isLost) this.replaceDrawing();
      const { drawing } = this;
      if (drawing.isFilter) {
        drawing.adjust(window.viewer.isAdjusted(look) ? look : null);
        this.tiles.render({ isDrawn: false, loupe: null });
        return;
      }
      const loupe = this.loupeCircle;
      const isDrawn = Boolean(this.copy) && (loupe || window.viewer.isAdjusted(look));
      this.photo.classList.toggle("is-under", Boolean(isDrawn));
      this.tiles.render({ isDrawn: Boolean(isDrawn), loupe: isDrawn && loupe });
      if (!isDrawn) return;
      if (!drawing.photo) drawing.show(this.copy, window.viewerRetina.findTables(this.copy, this.box));
      drawing.draw({
        width: this.window.clientWidth, height: this.window.clientHeight, box: this.box, look, loupe,
        angle: this.angle, rotationCss: this.rotationCss,
        place: [...this.origin, this.widthPx * this.scale, this.heightPx * this.scale],
        tiles: this.tiles.isNeeded ? this.tiles.loaded : [], photoPx: [this.widthPx, this.heightPx],
      });
    }

    // The graphics card can be lost, such as after the computer slept: the processor goes on.
    replaceDrawing() {
      const canvas = this.root.querySelector("[data-viewer-canvas]");
      const other = canvas.cloneNode();
      canvas.replaceWith(other);
      this.drawing = new window.viewerCopy.Drawing(other);
      for (const node of document.querySelectorAll("[data-viewer-no-gl]")) node.hidden = false;
    }

    /** Centre, radius and enlargement of the loupe in this pane, CSS pixels; null without it. */
    get loupeCircle() {
      return this.loupe && this.drawing.hasLoupe ? [...this.loupe, LOUPE_RADIUS_PX, this.loupeFactor] : null;
    }

    get loupeFactor() {
      return Math.max(1, Math.min(LOUPE_FACTOR, SAID_SCALE / (window.devicePixelRatio || 1) / this.scale));
    }

    renderHeat(state) {
      const isWanted = state.isHeatOn || state.isHeld;
      const map = isWanted ? window.heatmap.read(this.photoId, state.layer) : null;
      const painted = `${state.layer} ${this.photoId}`;
      if (map && this.paintedFor !== painted) {
        this.canPaint = window.heatmap.draw(this.heatCanvas, map.rows);
        window.heatmap.position(this.heatCanvas, map.box);
        this.paintedFor = painted;
      }
      this.heatLayer.hidden = !map || !this.canPaint;
      this.heatLayer.style.opacity = String(state.opacity / 100);
      const { noGrade, noOedema, noCanvas } = this.heatNote.dataset;
      const text = map && !this.canPaint ? noCanvas : map?.text;
      const note = isWanted ? text || (state.layer === "grade" ? noGrade : noOedema) : "";
      this.heatNote.hidden = !isWanted;
      // A live region that is written again is read aloud again.
      if (this.heatNote.textContent !== note) this.heatNote.textContent = note;
    }

    /** Show the photograph of a button of the strip. */
    show(button) {
      const { photoId, src, tiles, width, height, alt, caption } = button.dataset;
      if (photoId === this.photoId) return;
      this.forgetCopy();
      this.analysedFor = null;
      this.photo.removeAttribute("src"); // otherwise the photograph before stays until this one is loaded
      this.photo.src = src;
      this.photo.dataset.tiles = tiles;
      this.photo.alt = alt;
      this.photo.setAttribute("width", width);
      this.photo.setAttribute("height", height);
      this.root.dataset.photoId = photoId;
      this.field.textContent = caption;
      this.showEmpty("");
      [this.box, this.extent] = [window.viewerGeometry.WHOLE, null];
      this.fit();
    }

    forgetCopy() {
      this.photo.classList.remove("is-under");
      this.drawing.forget();
      this.tiles.forget();
      this.showLoadProblem(false);
      this.copy = null;
    }

    showLoadProblem(isShown) {
      this.root.querySelector("[data-viewer-load-problem]").hidden = !isShown;
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
