// Photographs side by side: linked zoom and pan by wheel, pinch, drag and keys; red-free, brightness and contrast;
// the model's heatmap over the photograph. Needs heatmap.js. Controls have data-viewer-do and can be anywhere.
"use strict";

window.viewer = (() => {
  const MAX_SCALE = 4; // screen pixels for one pixel of the photograph
  const ZOOM_STEP = 1.25;
  const PAN_STEP = 0.08; // fraction of the pane
  const DEFAULTS = { brightness: 100, contrast: 100 };

  const state = { isLinked: true, isRedFree: false, isHeatOn: false, isHeld: false, layer: "grade", opacity: 60, ...DEFAULTS };
  const panes = [];

  class Pane {
    constructor(root) {
      this.root = root;
      this.window = root.querySelector("[data-viewer-window]");
      this.filtered = root.querySelector("[data-viewer-filtered]");
      this.photo = root.querySelector("[data-viewer-photo]");
      this.heatLayer = root.querySelector("[data-viewer-heat]");
      this.heatCanvas = this.heatLayer.querySelector("canvas");
      this.zoomLabel = root.querySelector("[data-viewer-zoom]");
      this.heatNote = root.querySelector("[data-viewer-heat-note]");
      this.pointers = new Map();
      this.paintedFor = null;
      this.fit();
    }

    get widthPx() {
      return Number(this.photo.getAttribute("width")) || this.photo.naturalWidth || 1;
    }

    get heightPx() {
      return Number(this.photo.getAttribute("height")) || this.photo.naturalHeight || 1;
    }

    get fitScale() {
      return Math.min(this.window.clientWidth / this.widthPx, this.window.clientHeight / this.heightPx);
    }

    get actualZoom() {
      return 1 / (window.devicePixelRatio || 1) / this.fitScale;
    }

    get isZoomed() {
      return this.zoom > 1.001;
    }

    fit() {
      this.zoom = 1;
      this.centre = [0.5, 0.5];
    }

    /** Multiply the zoom; the point at (fractionX, fractionY) of the pane stays fixed. */
    zoomBy(factor, fractionX = 0.5, fractionY = 0.5) {
      const before = this.fitScale * this.zoom;
      const limit = Math.max(1, this.actualZoom * MAX_SCALE);
      this.zoom = Math.min(limit, Math.max(1, this.zoom * factor));
      const after = this.fitScale * this.zoom;
      const reachX = (fractionX - 0.5) * this.window.clientWidth;
      const reachY = (fractionY - 0.5) * this.window.clientHeight;
      this.centre[0] += (reachX / before - reachX / after) / this.widthPx;
      this.centre[1] += (reachY / before - reachY / after) / this.heightPx;
    }

    /** Move the photograph by fractions of the pane. */
    panBy(fractionX, fractionY) {
      const scale = this.fitScale * this.zoom;
      this.centre[0] -= (fractionX * this.window.clientWidth) / (scale * this.widthPx);
      this.centre[1] -= (fractionY * this.window.clientHeight) / (scale * this.heightPx);
    }

    clamp() {
      const scale = this.fitScale * this.zoom;
      const visible = [this.window.clientWidth / this.widthPx / scale, this.window.clientHeight / this.heightPx / scale];
      this.centre = this.centre.map((centre, i) => {
        const half = visible[i] / 2;
        return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, centre));
      });
    }

    render() {
      if (!this.window.clientWidth) return;
      this.clamp();
      const scale = this.fitScale * this.zoom;
      const x = this.window.clientWidth / 2 - this.centre[0] * this.widthPx * scale;
      const y = this.window.clientHeight / 2 - this.centre[1] * this.heightPx * scale;
      for (const layer of [this.photo, this.heatLayer]) {
        layer.style.width = `${this.widthPx}px`;
        layer.style.height = `${this.heightPx}px`;
        layer.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
      }
      this.window.style.touchAction = this.isZoomed ? "none" : "pan-y";
      this.window.classList.toggle("is-zoomed", this.isZoomed);
      this.zoomLabel.textContent = `${Math.round((this.zoom / this.actualZoom) * 100)} %`;
      this.filtered.style.filter =
        `${state.isRedFree ? "url(#red-free) " : ""}brightness(${state.brightness}%) contrast(${state.contrast}%)`;
      this.renderHeat();
    }

    renderHeat() {
      const isWanted = state.isHeatOn || state.isHeld;
      const photoId = this.root.dataset.photoId;
      const map = isWanted ? window.heatmap.read(photoId, state.layer) : null;
      const painted = `${state.layer} ${photoId}`;
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

    show(button) {
      this.photo.src = button.dataset.src;
      this.photo.alt = button.dataset.alt;
      this.photo.setAttribute("width", button.dataset.width);
      this.photo.setAttribute("height", button.dataset.height);
      this.root.dataset.photoId = button.dataset.photoId;
      this.root.querySelector("[data-viewer-field]").textContent = button.textContent.trim();
      for (const other of this.root.querySelectorAll("[data-viewer-show]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      this.fit();
      render();
    }
  }

  const linkedTo = (pane) => (state.isLinked ? panes : [pane]);

  function render() {
    panes.forEach((pane) => pane.render());
    const isAdjusted = state.brightness !== DEFAULTS.brightness || state.contrast !== DEFAULTS.contrast || state.isRedFree;
    for (const node of document.querySelectorAll("[data-viewer-adjusted]")) node.hidden = !isAdjusted;
    for (const node of document.querySelectorAll("[data-viewer-heat-caption]")) node.hidden = !(state.isHeatOn || state.isHeld);
    press("red-free", state.isRedFree);
    press("heat", state.isHeatOn);
    press("link", state.isLinked);
    press("layer-grade", state.layer === "grade");
    press("layer-oedema", state.layer === "oedema");
  }

  function press(action, isOn) {
    for (const button of document.querySelectorAll(`[data-viewer-do="${action}"]`)) {
      button.setAttribute("aria-pressed", String(isOn));
    }
  }

  const hasOedemaLayer = () => Boolean(document.querySelector('[data-viewer-do="layer-oedema"]'));

  function showLayer(layer) {
    state.layer = layer;
    state.isHeatOn = true;
  }

  const ACTIONS = {
    "zoom-in": (pane) => linkedTo(pane).forEach((p) => p.zoomBy(ZOOM_STEP)),
    "zoom-out": (pane) => linkedTo(pane).forEach((p) => p.zoomBy(1 / ZOOM_STEP)),
    fit: (pane) => linkedTo(pane).forEach((p) => p.fit()),
    actual: (pane) => linkedTo(pane).forEach((p) => p.zoomBy(p.actualZoom / p.zoom)),
    "red-free": () => { state.isRedFree = !state.isRedFree; },
    heat: () => { state.isHeatOn = !state.isHeatOn; },
    "layer-grade": () => showLayer("grade"),
    "layer-oedema": () => showLayer("oedema"),
    "next-layer": () => { if (hasOedemaLayer()) showLayer(state.layer === "grade" ? "oedema" : "grade"); },
    link: () => { state.isLinked = !state.isLinked; },
    reset: () => {
      Object.assign(state, DEFAULTS, { isRedFree: false });
      for (const input of document.querySelectorAll("[data-viewer-set]")) {
        if (input.dataset.viewerSet in DEFAULTS) input.value = String(DEFAULTS[input.dataset.viewerSet]);
      }
    },
    left: (pane) => linkedTo(pane).forEach((p) => p.panBy(PAN_STEP, 0)),
    right: (pane) => linkedTo(pane).forEach((p) => p.panBy(-PAN_STEP, 0)),
    up: (pane) => linkedTo(pane).forEach((p) => p.panBy(0, PAN_STEP)),
    down: (pane) => linkedTo(pane).forEach((p) => p.panBy(0, -PAN_STEP)),
  };

  /** Run one action of the toolbar; `pane`: the one it applies to if the panes are not linked. */
  function run(action, pane = panes[0]) {
    if (!pane || !ACTIONS[action]) return;
    ACTIONS[action](pane);
    render();
  }

  function holdHeatmap(isHeld) {
    if (state.isHeld === isHeld) return;
    state.isHeld = isHeld;
    render();
  }

  function fractionOf(pane, event) {
    const box = pane.window.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function drag(pane, event) {
    const before = pane.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...pane.pointers.entries()].filter(([id]) => id !== event.pointerId);
    const now = fractionOf(pane, event);
    if (others.length === 0) {
      linkedTo(pane).forEach((p) => p.panBy(now[0] - before[0], now[1] - before[1]));
    } else {
      const anchor = others[0][1];
      const spread = (point) => Math.hypot(point[0] - anchor[0], point[1] - anchor[1]);
      if (spread(before) > 0.01) linkedTo(pane).forEach((p) => p.zoomBy(spread(now) / spread(before), anchor[0], anchor[1]));
    }
    pane.pointers.set(event.pointerId, now);
    render();
  }

  function addListeners(pane) {
    pane.window.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = fractionOf(pane, event);
      const factor = Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 400);
      linkedTo(pane).forEach((p) => p.zoomBy(factor, x, y));
      render();
    }, { passive: false });
    pane.window.addEventListener("pointerdown", (event) => {
      pane.pointers.set(event.pointerId, fractionOf(pane, event));
      pane.window.setPointerCapture(event.pointerId);
    });
    pane.window.addEventListener("pointermove", (event) => drag(pane, event));
    for (const end of ["pointerup", "pointercancel"]) {
      pane.window.addEventListener(end, (event) => pane.pointers.delete(event.pointerId));
    }
    pane.window.addEventListener("dblclick", () => run(pane.isZoomed ? "fit" : "actual", pane));
    pane.window.addEventListener("keydown", (event) => {
      const action = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out" }[event.key]
        || (pane.isZoomed && { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key]);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      run(action, pane);
    });
    pane.photo.addEventListener("load", render);
  }

  /** Initialise the panes of the page, after loading and after every htmx swap. */
  function start() {
    for (const root of document.querySelectorAll("[data-viewer-pane]:not([data-viewer-ready])")) {
      root.dataset.viewerReady = "";
      state.isHeatOn = false; // the heatmap is off at first
      const pane = new Pane(root);
      panes.push(pane);
      addListeners(pane);
    }
    for (let i = panes.length - 1; i >= 0; i -= 1) if (!panes[i].root.isConnected) panes.splice(i, 1);
    if (!state.isHeatOn) state.layer = hasOedemaLayer() && !document.querySelector('[id^="heatmap-"]') ? "oedema" : "grade";
    document.querySelectorAll("[data-viewer-legend]").forEach(window.heatmap.paintLegend);
    render();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-viewer-do]");
    if (button) run(button.dataset.viewerDo);
    const choice = event.target.closest("[data-viewer-show]");
    const pane = choice && panes.find((p) => p.root.contains(choice));
    if (pane) pane.show(choice);
  });
  document.addEventListener("input", (event) => {
    const name = event.target.dataset && event.target.dataset.viewerSet;
    if (!name) return;
    state[name] = Number(event.target.value);
    if (name === "opacity") state.isHeatOn = true;
    render();
  });
  document.addEventListener("pointerdown", (event) => { if (event.target.closest("[data-viewer-hold]")) holdHeatmap(true); });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => holdHeatmap(false));
  window.addEventListener("blur", () => holdHeatmap(false));
  window.addEventListener("resize", render);
  document.addEventListener("DOMContentLoaded", start);
  document.addEventListener("htmx:afterSettle", start);

  return { run, holdHeatmap };
})();
