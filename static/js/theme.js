// Runs before the first paint: the person's choice of theme, and whether names are hidden here.
// These and whether single keys work are all that this product keeps in the browser's storage.
(() => {
  let chosen = null;
  let names = null;
  try {
    chosen = localStorage.getItem("theme");
    names = localStorage.getItem("names");
  } catch {
    // Storage may be refused; the device's own setting applies.
  }
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
  if (names === "hidden") {
    document.documentElement.dataset.names = names;
  }
})();
