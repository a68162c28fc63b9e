// Draws marks on the photographs, each shape in three ways: by dragging, by single clicks or taps, and by keyboard with
// a cross that the arrows move. Needs viewer_marks.js.
"use strict";

window.viewerMarksDraw = (() => {
  const marks = window.viewerMarks;
  const shapes = window.viewerMarkShapes;
  const DRAG_PX = 4; // a shorter movement is a click
  const CLOSE_PX = 8; // a click this near to the first corner closes the outline
  const STEP_PX = 8; // of the cross; 1 with Shift
  const MAX_RADIUS = 0.5;
  const MAX_CORNERS = 150;
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  let shape = ""; // the one that is drawn; empty: the pointer moves the photograph
  let active = null; // {pane, points}: centre of the circle, or corners, in pixels of the photograph
  let gesture = null; // {id, start, last, trace} of the pointer that is down
  let isPinching = false;
  let cross = null; // {pane, at}: of the keyboard
  const layers = new WeakMap(); // of the panes

  const bar = () => document.querySelector("[data-marks-bar]");
  const kind = () => bar().querySelector("[data-marks-kind]").value;
  const refuse = (reason) => marks.announce(bar().dataset[reason]);
  const isPhotoOfEye = (pane) => Boolean(marks.eyeOf(pane.photoId));
  const isInside = (pane, [x, y]) => x >= 0 && y >= 0 && x <= pane.widthPx && y <= pane.heightPx;
  const clamped = (pane, [x, y]) => [Math.min(pane.widthPx, Math.max(0, x)), Math.min(pane.heightPx, Math.max(0, y))];

  function commit(pane, points, radius) {
    cancel();
    const mark = {
      image: pane.photoId,
      kind: kind(),
      shape,
      points: points.map(([x, y]) => [shapes.round(x / pane.widthPx), shapes.round(y / pane.heightPx)]),
    };
    if (shape === "circle") mark.radius = Math.min(MAX_RADIUS, Math.max(0.0001, shapes.round(radius / pane.widthPx)));
    marks.add(mark);
  }

  function cancel() {
    active = null;
    gesture = null;
    render();
  }

  // The outline is closed; with two corners there is no area.
  function finish() {
    if (!active || shape !== "outline") return;
    if (active.points.length >= 3) commit(active.pane, active.points);
    else refuse("tooFew");
  }

  /** One click, tap or press of Enter at a point of the photograph. */
  function put(pane, point) {
    if (!isInside(pane, point)) {
      refuse("outside");
      return;
    }
    if (active && active.pane !== pane) active = null;
    if (shape === "point") {
      commit(pane, [point]);
    } else if (!active) {
      active = { pane, points: [point] };
    } else if (shape === "circle") {
      const radius = shapes.distance(active.points[0], point);
      if (radius * pane.scale >= DRAG_PX) commit(pane, active.points, radius);
    } else {
      const near = (corner, px) => shapes.distance(corner, point) * pane.scale <= px;
      if (near(active.points[0], CLOSE_PX) || near(active.points.at(-1), 1)) finish();
      else if (active.points.length >= MAX_CORNERS) refuse("tooManyPoints");
      else active.points.push(point);
    }
    render();
  }

  /** What is being drawn in a pane, over its marks; takes the pointer while a shape is chosen. */
  class Layer {
    constructor(pane) {
      this.pane = pane;
      this.svg = shapes.element("svg", { class: "pane-drawing", "aria-hidden": "true" });
      this.halo = shapes.element("path", { class: "halo" });
      this.line = shapes.element("path", { class: "line" });
      this.cross = shapes.element("path", { class: "cross", d: "M-14 0h10M4 0h10M0 -14v10M0 4v10" });
      this.svg.append(this.halo, this.line, this.cross);
      pane.window.append(this.svg);
      this.svg.addEventListener("pointerdown", (event) => this.onDown(event));
      this.svg.addEventListener("pointermove", (event) => this.onMove(event));
      this.svg.addEventListener("pointerup", (event) => this.onUp(event));
      this.svg.addEventListener("pointercancel", (event) => this.onUp(event, { isLost: true }));
      for (const end of ["pointerup", "pointercancel"]) { // the viewer has taken the second finger
        pane.window.addEventListener(end, () => { isPinching &&= pane.pointers.size > 0; });
      }
      this.svg.addEventListener("dblclick", (event) => event.stopPropagation());
    }

    onDown(event) {
      if (event.button !== 0) return; // another button moves the photograph
      if (isPinching) return;
      if (gesture && gesture.id !== event.pointerId) {
        this.beginPinch();
        return;
      }
      event.stopPropagation();
      if (!isPhotoOfEye(this.pane)) {
        refuse("otherPhoto");
        return;
      }
      const start = this.pane.pointAt(event);
      if (!isInside(this.pane, start)) {
        refuse("outside");
        return;
      }
      this.pane.window.focus({ preventScroll: true });
      cross = null;
      this.svg.setPointerCapture(event.pointerId);
      gesture = { id: event.pointerId, start, last: start, trace: [start], isDrag: false, at: this.fractionOf(event) };
      render();
    }

    fractionOf(event) {
      const box = this.pane.window.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    }

    // A second finger: both move and enlarge the photograph.
    beginPinch() {
      this.pane.pointers.set(gesture.id, gesture.at);
      gesture = null;
      isPinching = true;
      render();
    }

    onMove(event) {
      if (isPinching) return;
      const point = clamped(this.pane, this.pane.pointAt(event));
      if (gesture?.id !== event.pointerId) {
        if (active?.pane === this.pane) this.hover(point);
        return;
      }
      gesture.at = this.fractionOf(event);
      gesture.last = point;
      gesture.isDrag ||= shapes.distance(gesture.start, point) * this.pane.scale >= DRAG_PX;
      if (shapes.distance(gesture.trace.at(-1), point) * this.pane.scale >= 1.5) gesture.trace.push(point);
      render();
    }

    hover(point) {
      active.hover = point;
      render();
    }

    onUp(event, { isLost = false } = {}) {
      if (gesture?.id !== event.pointerId) return;
      const done = gesture;
      gesture = null;
      if (!isLost) this.end(done);
      render();
    }

    end({ isDrag, start, last, trace }) {
      if (shape === "point") {
        commit(this.pane, [last]);
      } else if (!isDrag) {
        put(this.pane, start);
      } else if (shape === "circle") {
        commit(this.pane, [start], shapes.distance(start, last));
      } else if (active?.points.length && active.pane === this.pane) {
        put(this.pane, last); // a corner that was placed with a trembling hand
      } else {
        const outline = shapes.outlineOf(trace, this.pane.scale);
        if (outline.length >= 3) commit(this.pane, outline);
        else refuse("tooFew");
      }
    }

    /** The unfinished shape in pixels of the pane. */
    path() {
      const { pane } = this;
      const place = (point) => pane.toPane(point);
      if (gesture && layers.get(pane) === this && pane.window.contains(document.activeElement)) {
        if (shape === "circle" && gesture.isDrag) {
          return shapes.circlePath(place(gesture.start), shapes.distance(gesture.start, gesture.last) * pane.scale);
        }
        if (shape === "outline" && !active) return shapes.linesOf(gesture.trace.map(place));
        if (shape === "point") return shapes.circlePath(place(gesture.last), 7);
      }
      if (active?.pane !== pane) return "";
      const aim = cross?.pane === pane ? cross.at : active.hover;
      if (shape === "circle") {
        const radius = aim ? shapes.distance(active.points[0], aim) * pane.scale : 0;
        return shapes.circlePath(place(active.points[0]), Math.max(2, radius));
      }
      const corners = [...active.points, ...(aim ? [aim] : [])].map(place);
      return shapes.linesOf(corners) + active.points.map((point) => shapes.circlePath(place(point), 3)).join("");
    }

    render() {
      const isOn = Boolean(shape) && this.pane.isShown;
      this.svg.classList.toggle("is-drawing", isOn);
      this.svg.style.display = isOn ? "" : "none";
      if (!isOn) return;
      const path = this.path();
      this.halo.setAttribute("d", path);
      this.line.setAttribute("d", path);
      this.line.setAttribute("class", `line is-${kind()}`);
      const isCross = cross?.pane === this.pane;
      this.cross.style.display = isCross ? "" : "none";
      if (isCross) this.cross.setAttribute("transform", `translate(${this.pane.toPane(cross.at).join(" ")})`);
    }
  }

  function render() {
    if (!bar()) return;
    for (const pane of window.viewer.panes) {
      if (!layers.has(pane) && shape) layers.set(pane, new Layer(pane));
      layers.get(pane)?.render();
    }
    bar().querySelector("[data-marks-unfinished]").hidden = !active;
    bar().querySelector('[data-marks-do="finish"]').disabled = shape !== "outline";
  }

  // The cross starts in the middle of what is in view; at the edge of the pane the photograph moves.
  function moveCross(pane, [dx, dy], px) {
    const { clientWidth: width, clientHeight: height } = pane.window;
    if (cross?.pane !== pane) {
      cross = { pane, at: clamped(pane, [pane.centre[0] * pane.widthPx, pane.centre[1] * pane.heightPx]) };
    } else {
      cross.at = clamped(pane, [cross.at[0] + (dx * px) / pane.scale, cross.at[1] + (dy * px) / pane.scale]);
    }
    const [x, y] = pane.toPane(cross.at);
    const over = (value, size) => Math.min(0, value - 16) + Math.max(0, value - size + 16);
    pane.panBy(-over(x, width) / width, -over(y, height) / height);
    window.viewer.schedule();
  }

  /** Whether a key of the pane was used for drawing. */
  function onPaneKey(pane, event) {
    if (ARROWS[event.key]) {
      moveCross(pane, ARROWS[event.key], event.shiftKey ? 1 : STEP_PX);
    } else if (event.key === "Enter" || event.key === " ") {
      if (!isPhotoOfEye(pane)) refuse("otherPhoto");
      else if (cross?.pane !== pane) moveCross(pane, [0, 0], 0);
      else put(pane, cross.at);
    } else if (event.key === "Backspace" && active) {
      active.points.pop();
      if (!active.points.length) active = null;
    } else if (event.key === "Escape" && (active || gesture)) {
      cancel();
    } else return false;
    render();
    return true;
  }

  function onKey(event) {
    if (!shape || marks.isReadOnly() || event.ctrlKey || event.metaKey || event.altKey) return;
    const pane = window.viewer.panes.find((one) => one.window === event.target);
    if (!pane || !onPaneKey(pane, event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Choose what is drawn: point, circle, outline; empty: nothing. */
  function choose(name) {
    shape = name;
    active = null;
    gesture = null;
    cross = null;
    render();
  }

  window.addEventListener("keydown", onKey, { capture: true });
  document.addEventListener("viewer:rendered", render);
  document.addEventListener("change", (event) => { if (event.target.matches("[data-marks-kind]")) render(); });

  return { choose, cancel, finish, get shape() { return shape; } };
})();
