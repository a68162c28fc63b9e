// Photographs side by side: linked zoom and pan by wheel, pinch, drag and keys; adjustments of each eye; loupe;
// the model's heatmap over the photograph. Needs viewer_pane.js and viewer_link.js. Controls have data-viewer-do and can be anywhere.
"use strict";

window.viewer = (() => {
  const ZOOM_STEP = 1.25;
  const PAN_STEP = 0.08; // fraction of the pane
  const DEFAULTS = { brightness: 100, contrast: 100, gamma: 100, isRedFree: false, isLocal: true, isInverted: false };
  const SWITCHES = { "red-free": "isRedFree", local: "isLocal", invert: "isInverted" };

  const looks = {}; // the adjustments of each eye
  const state = {
    isLinked: true, areEyesAlike: true, isHeatOn: false, isHeld: false, isLoupeOn: false, layer: "grade", opacity: 60,
    lookOf: (laterality) => { looks[laterality] ||= { ...DEFAULTS }; return looks[laterality]; },
  };
  const panes = [];
  let frame = 0;

  const shownPanes = () => panes.filter((pane) => pane.isShown);

  /** The pane that keys and buttons apply to: of the selected eye, else the first. */
  const selectedPane = () => shownPanes().find((pane) => pane.root.classList.contains("is-focused")) || shownPanes()[0];

  const linkedTo = (pane) => window.viewerLink.movedWith(pane, panes, state.isLinked);

  const selectedLook = () => state.lookOf(selectedPane()?.laterality || "");
  const isAdjusted = (look) => Object.keys(DEFAULTS).some((name) => look[name] !== DEFAULTS[name]);

  function adjust(changes) {
    const eyes = state.areEyesAlike ? panes.map((pane) => pane.laterality) : [selectedPane()?.laterality || ""];
    for (const eye of eyes) Object.assign(state.lookOf(eye), changes);
  }

  function zoom(pane, factor, x = 0.5, y = 0.5) {
    for (const each of linkedTo(pane)) each.pane.zoomBy(factor, 0.5 + each.mirror * (x - 0.5), y);
  }

  function pan(pane, x, y) {
    for (const each of linkedTo(pane)) each.pane.panBy(each.mirror * x, y);
  }

  /** Draw before the next frame of the screen: several movements in between are one drawing. */
  function schedule() {
    if (!frame) frame = requestAnimationFrame(render);
  }

  function render() {
    cancelAnimationFrame(frame);
    frame = 0;
    window.viewerLink.move(panes, state.isLinked);
    panes.forEach((pane) => pane.render(state));
    renderLook();
    for (const node of document.querySelectorAll("[data-viewer-heat-caption]")) node.hidden = !(state.isHeatOn || state.isHeld);
    press("loupe", state.isLoupeOn);
    press("heat", state.isHeatOn);
    press("link", state.isLinked);
    press("layer-grade", state.layer === "grade");
    press("layer-oedema", state.layer === "oedema");
    document.dispatchEvent(new Event("viewer:rendered"));
  }

  // The controls show the adjustments of the selected eye; the reset is shown if any photograph in view is adjusted.
  function renderLook() {
    const look = selectedLook();
    const isAny = shownPanes().some((pane) => isAdjusted(state.lookOf(pane.laterality)));
    for (const node of document.querySelectorAll("[data-viewer-adjusted]")) node.hidden = !isAny;
    for (const [action, name] of Object.entries(SWITCHES)) press(action, look[name]);
    press("alike", state.areEyesAlike);
    for (const input of document.querySelectorAll("[data-viewer-set]")) {
      const value = String(look[input.dataset.viewerSet] ?? state[input.dataset.viewerSet]);
      if (input.value !== value) input.value = value;
    }
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
    "zoom-in": (pane) => zoom(pane, ZOOM_STEP),
    "zoom-out": (pane) => zoom(pane, 1 / ZOOM_STEP),
    fit: (pane) => linkedTo(pane).forEach((each) => each.pane.fit()),
    actual: (pane) => zoomToActual(pane, pane.pointer),
    loupe: () => {
      state.isLoupeOn = !state.isLoupeOn;
      for (const pane of panes) pane.loupe = null;
    },
    alike: () => {
      state.areEyesAlike = !state.areEyesAlike;
      if (state.areEyesAlike) adjust(selectedLook());
    },
    heat: () => { state.isHeatOn = !state.isHeatOn; },
    "layer-grade": () => showLayer("grade"),
    "layer-oedema": () => showLayer("oedema"),
    "next-layer": () => { if (hasOedemaLayer()) showLayer(state.layer === "grade" ? "oedema" : "grade"); },
    link: () => { state.isLinked = !state.isLinked; },
    reset: () => { for (const eye of Object.keys(looks)) looks[eye] = { ...DEFAULTS }; },
    left: (pane) => pan(pane, PAN_STEP, 0),
    right: (pane) => pan(pane, -PAN_STEP, 0),
    up: (pane) => pan(pane, 0, PAN_STEP),
    down: (pane) => pan(pane, 0, -PAN_STEP),
  };

  for (const [action, name] of Object.entries(SWITCHES)) ACTIONS[action] = () => adjust({ [name]: !selectedLook()[name] });

  // 1:1 in all linked panes; what is at the pointer stays there.
  function zoomToActual(pane, [x, y] = [0.5, 0.5]) {
    for (const each of linkedTo(pane)) {
      each.pane.zoomBy(each.pane.actualZoom / each.pane.zoom, 0.5 + each.mirror * (x - 0.5), y);
    }
  }

  /** Run one action of the toolbar; `pane`: the one it applies to if the panes are not linked. */
  function run(action, pane = selectedPane()) {
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

  function followPointer(pane, event) {
    const [x, y] = fractionOf(pane, event);
    pane.pointer = [x, y];
    if (!state.isLoupeOn) return;
    pane.loupe = [x * pane.window.clientWidth, y * pane.window.clientHeight];
    schedule();
  }

  function drag(pane, event) {
    const before = pane.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...pane.pointers.entries()].filter(([id]) => id !== event.pointerId);
    const now = fractionOf(pane, event);
    if (others.length === 0) {
      pan(pane, now[0] - before[0], now[1] - before[1]);
    } else {
      const anchor = others[0][1];
      const spread = (point) => Math.hypot(point[0] - anchor[0], point[1] - anchor[1]);
      if (spread(before) > 0.01) zoom(pane, spread(now) / spread(before), anchor[0], anchor[1]);
    }
    pane.pointers.set(event.pointerId, now);
    schedule();
  }

  function addListeners(pane) {
    pane.window.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = fractionOf(pane, event);
      zoom(pane, Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 400), x, y);
      schedule();
    }, { passive: false });
    pane.window.addEventListener("pointerdown", (event) => {
      pane.pointers.set(event.pointerId, fractionOf(pane, event));
      pane.window.setPointerCapture(event.pointerId);
    });
    pane.window.addEventListener("pointermove", (event) => {
      followPointer(pane, event);
      drag(pane, event);
    });
    pane.window.addEventListener("pointerleave", () => {
      pane.pointer = undefined;
      pane.loupe = null;
      schedule();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      pane.window.addEventListener(end, (event) => pane.pointers.delete(event.pointerId));
    }
    pane.window.addEventListener("dblclick", (event) => {
      if (pane.isZoomed) run("fit", pane);
      else zoomToActual(pane, fractionOf(pane, event));
      schedule();
    });
    pane.window.addEventListener("keydown", (event) => {
      const action = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out" }[event.key]
        || (pane.isZoomed && { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key]);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      run(action, pane);
    });
    pane.photo.addEventListener("load", schedule);
    new ResizeObserver(schedule).observe(pane.window);
  }

  /** Initialise the panes of the page, after loading and after every htmx swap. */
  function start() {
    for (const root of document.querySelectorAll("[data-viewer-pane]:not([data-viewer-ready])")) {
      root.dataset.viewerReady = "";
      state.isHeatOn = false; // the heatmap is off at first
      const pane = new window.viewerPane.Pane(root);
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
  });
  document.addEventListener("input", (event) => {
    const name = event.target.dataset && event.target.dataset.viewerSet;
    if (!name) return;
    if (name in DEFAULTS) adjust({ [name]: Number(event.target.value) });
    else state[name] = Number(event.target.value);
    if (name === "opacity") state.isHeatOn = true;
    schedule();
  });
  document.addEventListener("pointerdown", (event) => { if (event.target.closest("[data-viewer-hold]")) holdHeatmap(true); });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => holdHeatmap(false));
  window.addEventListener("blur", () => holdHeatmap(false));
  document.addEventListener("DOMContentLoaded", start);
  document.addEventListener("htmx:afterSettle", start);

  return { run, holdHeatmap, panes, selectedPane, schedule, isAdjusted };
})();
