// Keys that work while no field has the focus: some here, the others told to the page.
document.addEventListener("keydown", (event) => {
  const focus = document.activeElement;
  const writes = focus && (focus.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(focus.tagName));
  if (event.key === "Escape" && writes) {
    focus.blur();
    return;
  }
  if (writes || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const page = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
  if (page) {
    page.click();
  } else if (event.key === "/") {
    const search = document.querySelector("input.search, .search input");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key.length === 1 || event.key.startsWith("Arrow") || event.key === "Escape") {
    if (event.key === " " || (event.key.startsWith("Arrow") && !document.querySelector("[data-arrows]"))) return;
    emitEvent("shortcut", event.key);
  }
});
