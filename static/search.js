// The search dialog of every page: "/" or Ctrl-K opens it, arrows choose, Enter opens the chosen page.
// Without this script the link "Search" leads to the page with the same form.
(() => {
  const KEYS_OFF = "reading-keys-off";
  const dialog = document.getElementById("search-dialog");
  if (!dialog) return;
  const input = dialog.querySelector("input[name=text]");
  const list = document.getElementById("search-options");
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  let shownFor = ""; // the text whose results are in the list

  function choose(option) {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function move(step) {
    const all = options();
    if (!all.length) return;
    const next = all.indexOf(chosen()) + step;
    choose(all[(next + all.length) % all.length]);
  }

  function open() {
    if (dialog.open || document.querySelector("dialog[open]")) return;
    dialog.showModal();
    input.select();
  }

  const isTyping = (node) => node.closest("input, textarea, select, [contenteditable]");
  // The worklist and the reading page have keys that single characters already mean.
  const hasOwnKeys = () => document.querySelector("[data-worklist-form], [data-viewer-pane]");

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      open();
    } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (isTyping(event.target) || hasOwnKeys() || localStorage.getItem(KEYS_OFF) === "yes") return;
      event.preventDefault();
      open();
    }
  });

  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(chosen() ? -1 : 0);
    else if (event.key === "Enter") {
      const option = chosen() || options()[0];
      if (input.value !== shownFor) input.form.requestSubmit(); // the page of the search waits for its results
      else if (option) location.assign(option.dataset.address);
    } else if (event.key === "Escape") dialog.close();  // the first one would only empty the field
    else return;
    event.preventDefault();
  });

  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.address);
  });

  // The results of a text that is no longer in the field, or of a dialog that is closed, are not shown.
  const textOf = (event) => event.detail.requestConfig.parameters.text;
  list.addEventListener("htmx:beforeSwap", (event) => {
    if (!dialog.open || textOf(event) !== input.value) event.detail.shouldSwap = false;
  });

  list.addEventListener("htmx:afterSwap", (event) => {
    shownFor = textOf(event);
    input.setAttribute("aria-expanded", String(options().length > 0));
    choose(options()[0]);
  });

  dialog.addEventListener("close", () => {  // on a shared desk the next person must not see what was searched
    input.value = shownFor = "";
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
  });

  document.querySelector("[data-search-open]").addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
})();
