// The diary's small manners: keys, hidden names, the line of now, a click on free time, a time that
// fills in the form. Everything can be done without them.

const head = document.querySelector("[data-diary]");

function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]");
}

const keys = { ArrowLeft: "previous", ArrowRight: "next", t: "today", d: "day", w: "week", l: "list" };
document.addEventListener("keydown", (event) => {
  if (!head || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") || event.target.closest?.(".day-scroll")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const where = key === "n" ? document.querySelector("a[href*='for=book']")?.href : head.dataset[keys[key]];
  if (!where) return;
  event.preventDefault();
  location.href = where;
});

// Names are hidden on this screen until someone shows them again.
const hider = document.querySelector("[data-hide-names]");
function hideNames(hidden) {
  document.body.classList.toggle("names-hidden", hidden);
  hider.setAttribute("aria-pressed", String(hidden));
}
if (hider) {
  hideNames(sessionStorage.getItem("names") === "hidden");
  hider.addEventListener("click", () => {
    const hidden = !document.body.classList.contains("names-hidden");
    sessionStorage.setItem("names", hidden ? "hidden" : "shown");
    hideNames(hidden);
  });
}

// The line of now, on the location's clock.
const day = document.querySelector("[data-first-minute]");
function showNow() {
  for (const line of document.querySelectorAll("[data-now]")) {
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: line.dataset.now, hour: "2-digit", minute: "2-digit" });
    const [hour, minute] = clock.format(new Date()).split(":").map(Number);
    const row = Math.floor((hour * 60 + minute - Number(day.dataset.firstMinute)) / 5) + 1;
    line.hidden = row < 1 || row > 288;
    line.className = `day-now at-${row}`;
  }
}
if (day) {
  showNow();
  setInterval(showNow, 60_000);
}

// A click on free time of a column books there.
document.addEventListener("click", (event) => {
  const column = event.target.closest?.("[data-practitioner]");
  if (!column || event.target.closest("a")) return;
  const minutes = Number(day.dataset.firstMinute) + Math.floor((event.clientY - column.getBoundingClientRect().top) / 24) * 15;
  const time = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const wish = new URLSearchParams({ for: "book", date: head.dataset.date, time, practitioner: column.dataset.practitioner });
  location.href = `/patients/?${wish}`;
});

// In the booking form a free time fills in the form; without scripts it books at once.
document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-free-time]");
  const form = chosen?.closest("[data-book-form]");
  if (!form) return;
  event.preventDefault();
  form.elements.time.value = chosen.dataset.freeTime;
  form.elements.practitioner.value = chosen.dataset.freeWho;
  for (const other of form.querySelectorAll("[data-free-time]")) other.setAttribute("aria-pressed", String(other === chosen));
  form.querySelector(".form-actions .btn-primary").focus();
});
