// The label is printed by the browser.
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => print());
