// The ruler in disc diameters: optic disc, fovea and the ring of one disc diameter around it. Centre and edge of the disc
// and the fovea can be moved.
// Needs viewer.js and viewer_landmarks.js.
"use strict";

(() => {
  const KEYS_OFF = "reading-keys-off";
  const STEP = 0.05; // disc diameters, for the arrow keys
  const [MIN_DIAMETER, MAX_DIAMETER] = [0.01, 0.5]; // of the disc, of the width: as in screening/policy/landmarks.py
  const SVG = "http://www.w3.org/2000/svg";

  let isOn = false;
  const rulers = new WeakMap(); // of the panes

  function element(name, attributes) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }

  class Ruler {
    constructor(pane) {
      this.pane = pane;
      this.texts = pane.window.querySelector("[data-viewer-distance]");
      this.svg = element("svg", { class: "pane-ruler" });
      this.shapes = Object.fromEntries(["disc", "ring", "line"].map((name) => [
        name, element(name === "line" ? "line" : "circle", { class: `is-${name}`, "aria-hidden": "true" }),
      ]));
      this.handles = Object.fromEntries(["disc", "fovea", "edge"].map((name) => [name, this.handle(name)]));
      this.svg.append(...Object.values(this.shapes), ...Object.values(this.handles));
      pane.window.append(this.svg);
      pane.window.addEventListener("pointermove", (event) => this.measure(event));
    }

    handle(name) {
      const handle = element("circle", { r: name === "edge" ? 5 : 7, tabindex: 0, role: "button", "aria-label": this.texts.dataset[name] });
      handle.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        handle.setPointerCapture(event.pointerId);
        this.pane.isFixed = true;
      });
      handle.addEventListener("lostpointercapture", () => {
        this.pane.isFixed = false;
        window.viewerLandmarks.store(this.pane);
        window.viewer.schedule();
      });
      handle.addEventListener("pointermove", (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        event.stopPropagation();
        this.move(name, ...this.pane.pointAt(event));
      });
      handle.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        const px = STEP * this.marks.disc.diameter;
        if (name === "edge") this.move(name, this.edge.x, this.edge.y + (step[1] - step[0]) * px);
        else this.move(name, this.marks[name].x + step[0] * px, this.marks[name].y + step[1] * px);
        window.viewerLandmarks.store(this.pane);
      });
      return handle;
    }

    get marks() {
      return window.viewerLandmarks.marksOf(this.pane);
    }

    get edge() {
      const { disc } = this.marks;
      return { x: disc.x, y: disc.y - disc.diameter / 2 };
    }

    // Photographs that are linked by these points move with them.
    move(name, x, y) {
      const { widthPx, heightPx } = this.pane;
      const { disc } = this.marks;
      if (name === "edge") {
        const diameter = 2 * Math.hypot(x - disc.x, y - disc.y);
        disc.diameter = Math.min(MAX_DIAMETER * widthPx, Math.max(MIN_DIAMETER * widthPx, diameter));
      } else {
        this.marks[name].x = Math.min(widthPx, Math.max(0, x));
        this.marks[name].y = Math.min(heightPx, Math.max(0, y));
      }
      this.marks.isMoved = true;
      this.isMeasuring = false;
      window.viewer.schedule();
    }

    render() {
      const isShown = isOn && this.pane.isShown && Boolean(this.marks);
      this.svg.style.display = isShown ? "" : "none";
      this.texts.hidden = !isShown;
      if (!isShown) return;
      const { scale } = this.pane;
      const { disc, fovea } = this.marks;
      const place = ({ x, y }) => this.pane.toPane([x, y]);
      const circle = (node, [x, y], radius) => {
        node.setAttribute("cx", x);
        node.setAttribute("cy", y);
        node.setAttribute("r", radius);
      };
      circle(this.shapes.disc, place(disc), (disc.diameter * scale) / 2);
      circle(this.shapes.ring, place(fovea), disc.diameter * scale);
      circle(this.handles.disc, place(disc), 7);
      circle(this.handles.fovea, place(fovea), 7);
      circle(this.handles.edge, place(this.edge), 5);
      const [[x1, y1], [x2, y2]] = [place(disc), place(fovea)];
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) this.shapes.line.setAttribute(name, value);
      if (!this.isMeasuring) this.texts.textContent = this.stateText(Math.hypot(disc.x - fovea.x, disc.y - fovea.y) / disc.diameter);
    }

    // What is known of the points. `distance`: of disc and fovea, in disc diameters.
    stateText(distance) {
      const { isFound, isMoved } = this.marks;
      const { moved, notStored, notFound, between } = this.texts.dataset;
      if (!isMoved) return isFound ? window.pluralText(between, distance, 1) : notFound;
      const text = window.pluralText(moved, distance, 1);
      return window.viewerLandmarks.isStored(this.pane) ? text : `${text} ${notStored}`;
    }

    // The distance of the pointer from the fovea.
    measure(event) {
      if (!isOn || !this.marks) return;
      const [x, y] = this.pane.pointAt(event);
      const distance = Math.hypot(x - this.marks.fovea.x, y - this.marks.fovea.y) / this.marks.disc.diameter;
      this.isMeasuring = true;
      const { within, outside } = this.texts.dataset;
      this.texts.textContent = window.pluralText(distance <= 1 ? within : outside, distance, 1);
    }
  }

  function render() {
    for (const pane of window.viewer.panes) {
      if (!rulers.has(pane) && isOn) rulers.set(pane, new Ruler(pane));
      rulers.get(pane)?.render();
    }
  }

  function toggle() {
    isOn = !isOn;
    for (const button of document.querySelectorAll("[data-ruler-do]")) button.setAttribute("aria-pressed", String(isOn));
    render();
  }

  document.addEventListener("viewer:rendered", () => { if (isOn) render(); });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-ruler-do]")) toggle(); });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "c" || localStorage.getItem(KEYS_OFF) === "yes") return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
    if (event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])")) return;
    toggle();
  });
})();
