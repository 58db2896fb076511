/* The total as it is typed or ticked, and only the fields of the chosen means. Without this file all fields show. */
(() => {
  "use strict";
  const form = document.querySelector("[data-counter]");
  if (!form) return;
  const output = form.querySelector("[data-total]");
  const count = form.querySelector("[data-count]");
  const show = (cents) => {
    const english = document.documentElement.lang === "en";
    const whole = String(Math.floor(cents / 100)).replace(/\B(?=(\d{3})+$)/g, english ? "," : "\u202f");
    const rest = String(cents % 100).padStart(2, "0");
    return english ? `€${whole}.${rest}` : `${whole},${rest}\u00a0€`;
  };
  /* Cents as whole numbers: the server decides, but the screen must not be a cent wrong either. */
  const cents = (text) => {
    const found = /^(\d+)(?:[.,](\d{1,2}))?$/.exec(text.replace(/[\s\u00a0\u202f€]/g, ""));
    return found ? Number(found[1]) * 100 + Number((found[2] || "0").padEnd(2, "0")) : NaN;
  };
  const add = () => {
    const ticks = [...form.querySelectorAll("[data-amount]")];
    const amounts = ticks.length
      ? ticks.filter((tick) => tick.checked).map((tick) => tick.dataset.amount)
      : [...form.querySelectorAll("input[name^=montant_]")].map((field) => field.value);
    const total = amounts.reduce((sum, text) => sum + cents(text), 0);
    output.textContent = Number.isNaN(total) ? "–" : show(total);
    if (count) count.textContent = `(${amounts.length})`;
  };
  const dress = () => {
    const chosen = form.querySelector("input[name=means]:checked");
    if (!chosen) return;
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(chosen.value);
  };
  form.addEventListener("input", add);
  form.addEventListener("change", () => { add(); dress(); });
  add();
  dress();
})();
