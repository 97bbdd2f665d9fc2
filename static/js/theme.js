// Runs before the first paint: the person's choice of theme, if there is one.
// "theme" is the only thing this product ever keeps in the browser's storage.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Storage may be refused; the device's own setting applies.
  }
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
})();
