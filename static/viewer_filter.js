// Adjusts a photograph if the browser lets no page read pictures (canvas is blocked): by an SVG filter, without local
// contrast and loupe. Nothing is drawn here: the browser shows the picture and its tiles through the filter.
"use strict";

window.viewerFilter = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const GREEN = "0 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 0 0 1 0"; // the green channel in all three
  const COLOUR = "1 0 0 0 0 0 1 0 0 0 0 0 1 0 0 0 0 0 1 0";
  let nFilters = 0;

  function element(name, attributes, ...children) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const transfer = (attributes) => element(
    "feComponentTransfer", {}, ...["feFuncR", "feFuncG", "feFuncB"].map((name) => element(name, attributes)),
  );

  class Drawing {
    isFilter = true;
    hasLoupe = false;

    constructor(canvas) {
      this.layer = canvas.parentElement;
      nFilters += 1;
      this.filter = element("filter", { id: `viewer-filter-${nFilters}`, "color-interpolation-filters": "sRGB" });
      this.layer.append(element("svg", { width: 0, height: 0, "aria-hidden": "true" }, this.filter));
    }

    forget() {
      this.shownFor = "";
      this.layer.style.filter = "";
    }

    /** Show the photograph with these adjustments; null: without. */
    adjust(look) {
      const wanted = look ? JSON.stringify(look) : "";
      if (wanted === this.shownFor) return;
      this.shownFor = wanted;
      this.layer.style.filter = look ? `url(#${this.filter.id})` : "";
      if (!look) return;
      const [brightness, contrast] = [look.brightness / 100, look.contrast / 100];
      this.filter.replaceChildren(
        element("feColorMatrix", { type: "matrix", values: look.isRedFree ? GREEN : COLOUR }),
        transfer({ type: "linear", slope: brightness * contrast, intercept: 0.5 - 0.5 * contrast }),
        transfer({ type: "gamma", amplitude: 1, exponent: 100 / look.gamma, offset: 0 }),
        ...(look.isInverted ? [transfer({ type: "table", tableValues: "1 0" })] : []),
      );
    }
  }

  return { Drawing };
})();
