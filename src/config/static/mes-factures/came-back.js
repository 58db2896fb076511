// Back from the Treasury's page, which opens once: say so instead of offering it again.
addEventListener("pageshow", (event) => {
  const [visit] = performance.getEntriesByType("navigation");
  if (!event.persisted && visit?.type !== "back_forward") return;
  const here = new URL(location.href);
  if (here.searchParams.has("retour")) return;
  here.searchParams.set("retour", "1");
  location.replace(here);
});
