// The reader of expressions (alpine-expressions.js) sees no global name. What unfold's pages call by name is given to
// Alpine here, and the two expressions of its frame that are programs are written out.
document.addEventListener("alpine:init", () => {
  for (const name of ["theme", "searchForm", "searchDropdown", "searchCommand"]) {
    if (typeof window[name] === "function") window.Alpine.data(name, window[name]);
  }

  const KEY = "sidebarDesktopOpen";
  const first = document.body.getAttribute("x-data")?.match(/activeTab: '([^']*)'/)?.[1] ?? "";
  window.Alpine.data("consoleFrame", () => ({
    activeTab: getCurrentTab() || first,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem(KEY) !== "0",
    init() {
      this.$watch(KEY, (open) => localStorage.setItem(KEY, open ? "1" : "0"));
    },
  }));
  if (document.body.hasAttribute("x-data")) {
    document.body.removeAttribute("x-init");
    document.body.setAttribute("x-data", "consoleFrame");
  }
  for (const button of document.querySelectorAll("[x-on\\:click*='localStorage']")) {
    button.setAttribute("x-on:click", "sidebarDesktopOpen = !sidebarDesktopOpen");
  }
});
