// Lesions of each eye: shows the grade that follows from them, selects it if none is selected, and asks for the reason if
// the selected one differs. The rules are the table of the server (#lesion-rules).
"use strict";

(() => {
  const rules = () => JSON.parse(document.getElementById("lesion-rules")?.textContent || "null");
  const radios = (box, name) => [...box.querySelectorAll(`input[type=radio][name$="-${name}"]`)];
  const chosen = (box, name) => radios(box, name).find((radio) => radio.checked);
  const labelOf = (radio) => radio.closest("label").title;

  function lesionsOf(box) {
    const found = {};
    for (const input of box.querySelectorAll("[data-lesion]")) {
      const isTicked = input.matches("select") || input.checked;
      const value = isTicked ? Number(input.value) : 0;
      if (value) found[input.dataset.lesion] = value;
    }
    return found;
  }

  function resultOf(table, lesions) {
    return table.find((rule) => rule.needs.every(([lesion, least]) => (lesions[lesion] || 0) >= least))?.result;
  }

  function select(box, name, value) {
    const current = chosen(box, name);
    const isOwn = box.dataset[`from${name}`] !== undefined && current?.value === box.dataset[`from${name}`];
    if (current && !isOwn) return;
    const radio = radios(box, name).find((one) => one.value === value);
    if (!radio || radio.checked) return;
    box.dataset[`from${name}`] = value;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function show(node, isShown) {
    if (!node) return;
    node.hidden = !isShown;
    for (const input of node.querySelectorAll("input[type=text]")) input.required = isShown;
  }

  function render(box, { isLesion = false } = {}) {
    const table = rules();
    if (!table || !box.querySelector("[data-lesions]")) return;
    const lesions = lesionsOf(box);
    const decides = Object.keys(lesions).some((code) => !table.notOfGrade.includes(code));
    const grade = resultOf(table.grade, lesions) ?? table.noGrade;
    const macula = resultOf(table.macula, lesions);
    if (isLesion && decides) {
      select(box, "verdict", grade);
      if (macula) select(box, "macular_oedema", macula);
    }
    const verdict = chosen(box, "verdict");
    const answer = chosen(box, "macular_oedema");
    const isGraded = Boolean(verdict) && verdict.value !== "U";
    const isOtherGrade = isGraded && verdict.value !== grade;
    const isLower = Boolean(macula) && Boolean(answer) && table.lower.includes(answer.value) && answer.value < macula;
    const isLowerOedema = macula === "suspected" && answer?.value === "none";
    const line = box.querySelector("[data-lesion-result]");
    const derived = radios(box, "verdict").find((radio) => radio.value === grade);
    line.hidden = !decides;
    line.textContent = decides && derived ? `${line.dataset.text}: ${labelOf(derived)}` : "";
    show(box.querySelector("[data-contradiction]"), decides && isGraded && (isOtherGrade || isLower || isLowerOedema));
    show(box.querySelector("[data-other-disease]"), Boolean(lesions.other_disease));
    const reason = box.querySelector("[data-ungradable-reason]");
    reason.hidden = verdict?.value !== "U";
    const listed = new Set([...box.querySelectorAll("[data-lesions] [data-lesion]")].map((input) => input.dataset.lesion));
    const n = Object.keys(lesions).filter((code) => listed.has(code)).length;
    box.querySelector("[data-lesion-count]").textContent = n || "";
  }

  const renderAll = () => document.querySelectorAll("[data-eye-form]").forEach((box) => render(box));

  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-eye-form]");
    if (box) render(box, { isLesion: event.target.matches("[data-lesion]") });
  });
  document.addEventListener("DOMContentLoaded", renderAll);
  document.addEventListener("htmx:afterSettle", renderAll);
})();
