// Small windows that a button opens (details.menu): a click elsewhere or Escape closes them.
"use strict";

(() => {
  const opened = () => [...document.querySelectorAll("details.menu[open]")];

  document.addEventListener("click", (event) => {
    for (const menu of opened()) if (!menu.contains(event.target)) menu.open = false;
  });
  // One that covers the photographs closes when the focus leaves it; the list of keys stays while the keys are tried.
  document.addEventListener("focusin", (event) => {
    for (const menu of opened()) if (menu.closest("[role=toolbar]") && !menu.contains(event.target)) menu.open = false;
  });
  // Before other scripts read the key: Escape closes the menu alone, and the focus returns to its button.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !opened().length) return;
    event.stopImmediatePropagation();
    for (const menu of opened()) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
  }, { capture: true });
})();
