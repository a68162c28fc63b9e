// The slider over the operating points of a site. Without it the list of points is the choice.
"use strict";

(() => {
  const form = document.querySelector("[data-operating-point]");
  if (!form) return;
  const radios = [...form.querySelectorAll("input[type=radio]")];
  const box = form.querySelector("[data-slider]");
  const slider = box.querySelector("input");
  const meaning = form.querySelector("[data-meaning]");
  const ring = form.querySelector("[data-chosen]");

  function show() {
    const chosen = radios.findIndex((radio) => radio.checked);
    if (chosen < 0) return;
    const row = radios[chosen].closest("tr");
    slider.value = String(chosen);
    slider.setAttribute("aria-valuetext", row.querySelector(".num").textContent);
    meaning.replaceChildren(...[...row.querySelector("[data-sentences]").children].map((one) => one.cloneNode(true)));
    if (ring) {
      ring.setAttribute("cx", row.dataset.x);
      ring.setAttribute("cy", row.dataset.y);
    }
  }

  slider.max = String(radios.length - 1);
  slider.addEventListener("input", () => {
    radios[Number(slider.value)].checked = true;
    show();
  });
  for (const radio of radios) radio.addEventListener("change", show);
  box.hidden = meaning.hidden = false;
  show();
})();
