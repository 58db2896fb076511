/* The menu that folds on a phone, Ctrl-K for the search box, the buttons that print a page, and the note of a fragment that
   is refused or gone. Without this file the menu is simply open. */
(() => {
  "use strict";
  const menu = document.getElementById("menu");
  const fold = document.querySelector(".fold");
  document.documentElement.classList.add("folding");
  fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-expanded") !== "true";
    fold.setAttribute("aria-expanded", String(open));
    menu.classList.toggle("open", open);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      const find = document.getElementById("find");
      find.focus();
      find.select();
    }
    if (event.key === "Escape" && menu.classList.contains("open")) {
      fold.click();
      fold.focus();
    }
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  /* htmx keeps the page as it is on 4xx; our 403 and 404 are notes that say what happened, and end the asking. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answer = event.detail.xhr;
    if ((answer.status === 403 || answer.status === 404) && answer.getResponseHeader("HX-Reswap")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  /* The list of what is to correct is read out first. */
  const bad = document.querySelector("[data-focus]");
  if (bad) bad.focus();
})();
