// Small manners of every page. Each works by itself and none is needed to get the work done.
import { door, stillHere } from "./still-here.js";

const root = document.documentElement;

function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]");
}

// Single keys can be switched off on a device (in the diary).
export function keysAreOn() {
  try {
    return localStorage.getItem("keys") !== "off";
  } catch {
    return true;
  }
}

// "/" goes to the search box, unless someone is typing or has a dialog open.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || !keysAreOn() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const search = document.querySelector("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// Menus close by Escape and by a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A form that somebody has filled in leaves its page only when the clinic answers and still knows who
// sends it: a dead network or an ended sign-in would take what was typed along.
const FILLED_IN = "textarea, select, canvas, input:not([type=hidden])";
function isFilledIn(form) {
  return form.method === "post" && form.closest("main") && form.querySelector(FILLED_IN) && !form.matches("[hx-post]:not([hx-trigger]), [target]");
}
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!door || event.defaultPrevented || form.dataset.goes || form.dataset.sent || !isFilledIn(form)) return;
  event.preventDefault();
  if (form.dataset.asks) return;
  const button = event.submitter;
  form.dataset.asks = "yes";
  button?.setAttribute("aria-busy", "true");
  const may = await mayLeave();
  delete form.dataset.asks;
  button?.removeAttribute("aria-busy");
  if (!may) return;
  form.dataset.goes = "yes";
  form.requestSubmit(button);
  delete form.dataset.goes;
});

// What is shown of it says what to do. A tablet's pages show nothing: they go to its start by themselves.
async function mayLeave() {
  const found = await stillHere();
  if (found === "unreached") tell(document.querySelector("template[data-not-sent]"));
  else if (found === "out") shutOut();
  else isOut = false;
  return found === "here" || (found === "out" && !door.content.firstElementChild);
}
let isOut = false;
function shutOut() {
  isOut = true;
  if (door.content.firstElementChild) tell(door);
}
function tell(template) {
  const note = template.content.firstElementChild.cloneNode(true);
  for (const old of document.querySelectorAll(".toasts [data-not-sent]")) old.remove();
  note.dataset.notSent = "";
  document.querySelector(".toasts").append(note);
}

// The same for forms sent by htmx, which learn of it from the answer; once back they need a new token.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const hasTyped = document.querySelector("main form[data-changed]") && door?.content.firstElementChild;
  if (event.detail.xhr.status !== 401 || !hasTyped || event.detail.elt.matches?.("[data-alarm]")) return;
  event.preventDefault();
  senderOf(event)?.removeAttribute("aria-busy");
  shutOut();
});
document.addEventListener("htmx:confirm", async (event) => {
  if (!isOut || event.detail.verb !== "post") return;
  event.preventDefault();
  if (await mayLeave()) event.detail.issueRequest(true);
});

// A page that refused a form came by POST, and "back" to it would show the browser's own error: once
// the form is sent again it stands in the history as a plain visit. Not before, or a reload would
// lose what was typed.
document.addEventListener("submit", (event) => {
  if (!event.target.dataset.asks) history.replaceState(history.state, "");
});

// A form is sent once. The browser's "back" gives the buttons back.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.dataset.sent || form.matches("[data-again], [target], [method=dialog]")) {
    if (form.dataset.sent) event.preventDefault();
    return;
  }
  if (form.method !== "post" || form.closest("[hx-post], [hx-put], [hx-delete]")) return;
  form.dataset.sent = "yes";
  form.dataset.clean = "yes";
  const button = event.submitter;
  if (button) setTimeout(() => button.setAttribute("aria-busy", "true"));
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy=true]")) button.removeAttribute("aria-busy");
});

// Leaving a form with something typed in it asks first, where the form wants that.
document.addEventListener("input", (event) => {
  const form = event.target.closest?.("main form[method=post]");
  if (form) form.dataset.changed = "yes";
});
addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-unsaved][data-changed]:not([data-clean])")) event.preventDefault();
});

// Theme: the device's, light, or dark.
function showTheme() {
  const chosen = root.dataset.theme ?? "auto";
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen));
  }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-set-theme]");
  if (!button) return;
  const chosen = button.dataset.setTheme;
  try {
    if (chosen === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", chosen);
  } catch {
    // Kept for this page only.
  }
  if (chosen === "auto") delete root.dataset.theme;
  else root.dataset.theme = chosen;
  showTheme();
});
showTheme();

// After a refusal the keyboard is at the summary of what went wrong.
function goToErrors(within) {
  const summary = within.matches?.("[data-error-summary]") ? within : within.querySelector?.("[data-error-summary]");
  summary?.focus();
  return Boolean(summary);
}
goToErrors(document);
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-error-summary] a[href^='#']");
  const control = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!control) return;
  event.preventDefault();
  control.focus({ preventScroll: true });
  (control.closest(".field") ?? control).scrollIntoView({ block: "center" });
});

// What a screen reader should hear.
function announce(words) {
  const ear = document.querySelector("[data-announcer]");
  if (!ear || !words) return;
  ear.textContent = "";
  setTimeout(() => { ear.textContent = words; }, 50);
}

document.addEventListener("htmx:afterSwap", (event) => {
  const added = event.detail.elt;
  if (goToErrors(added)) return;
  const wanted = added.matches?.("[data-focus]") ? added : added.querySelector?.("[data-focus]");
  wanted?.focus();
  announce(added.dataset?.announce ?? added.querySelector?.("[data-announce]")?.dataset.announce);
});

// A form sent by htmx: its button is busy meanwhile; what could not be sent stays, and says so.
function senderOf(event) {
  const sent = event.detail.requestConfig ?? {};
  return sent.verb === "post" && sent.elt?.matches?.("form[hx-post]") ? sent.triggeringEvent?.submitter : null;
}
document.addEventListener("htmx:beforeRequest", (event) => senderOf(event)?.setAttribute("aria-busy", "true"));
function notSent(event) {
  const button = senderOf(event);
  if (!button || leaving) return;
  button.removeAttribute("aria-busy");
  tell(document.querySelector("template[data-not-sent]"));
}
for (const trouble of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(trouble, notSent);

// A part that could not be loaded says so in its own place.
function slotFailed(event) {
  const slot = event.detail.elt?.closest?.("[data-slot]");
  const words = document.body.dataset.slotFailed;
  if (slot && words) slot.replaceChildren(Object.assign(document.createElement("span"), { className: "slot-error", textContent: words }));
}
// A page that is being left listens to nobody: a part still loading, whose login the way out has
// just ended, would otherwise turn towards the sign-in page.
let leaving = false;
addEventListener("beforeunload", () => {
  leaving = true;
  setTimeout(() => { leaving = false; }, 5000); // It was a download, or somebody stayed.
});
document.addEventListener("htmx:beforeOnLoad", (event) => { if (leaving) event.preventDefault(); });

// Whoever was signed out while away keeps the page as it was: the alarm alone does not turn it away.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.elt.matches?.("[data-alarm]") && event.detail.xhr.status === 401) event.preventDefault();
});

document.addEventListener("htmx:responseError", slotFailed);
document.addEventListener("htmx:sendError", slotFailed);
document.addEventListener("htmx:timeout", slotFailed);

// Offline is said at once, in words.
function showLine() {
  const notice = document.querySelector("[data-offline]");
  if (notice) notice.hidden = navigator.onLine;
}
addEventListener("online", showLine);
addEventListener("offline", showLine);
showLine();

// Messages can be put away; good news goes by itself, bad news stays.
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest("[data-dismissable]")?.remove();
});
export function goSoon(note) {
  setTimeout(() => { if (!note.matches(":hover, :focus-within")) note.remove(); }, Number(note.dataset.brief) * 1000);
}
document.querySelectorAll("[data-dismissable][data-brief]").forEach(goSoon);

// <button data-dialog="id"> opens <dialog id="id">; [data-close] inside closes it.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  event.target.closest?.("[data-close]")?.closest("dialog")?.close();
});

// A confirm panel can be taken back.
document.addEventListener("click", (event) => {
  const details = event.target.closest?.("[data-undo-confirm]")?.closest("details");
  if (!details) return;
  details.open = false;
  details.querySelector("summary").focus();
});

// Saving state: setSaving(element, "saved", "Saved 14:32"). See components/saving_state.html.
export function setSaving(element, state, words) {
  element.dataset.state = state;
  element.querySelector("[data-words]").textContent = words;
}

// Copies of unsaved words (sealed.js): old ones go, and a list says where one's own are waiting.
const KEPT_MS = 7 * 24 * 3600 * 1000;
function keptHere() {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith("kept:"));
    for (const name of names) {
      if (Date.now() - Number(localStorage.getItem(name).split(".")[0]) > KEPT_MS) localStorage.removeItem(name);
    }
    for (const mark of document.querySelectorAll("[data-kept-here]")) {
      mark.hidden = !names.some((name) => name.startsWith(`kept:${mark.dataset.keptHere}:`));
    }
  } catch {
    // Nothing is kept where nothing can be stored.
  }
}
document.addEventListener("htmx:afterSwap", keptHere);
keptHere();

// What sticks below the patient bar stands right under the part of it that stays in sight, however
// high it is: allergies arrive later, and on a phone only the name stays.
const [bar, barKey] = [".patient-bar", ".patient-key"].map((name) => document.querySelector(name));
if (bar && barKey) {
  const measure = new ResizeObserver(() => root.style.setProperty("--barheight", `${bar.offsetHeight || barKey.offsetHeight}px`));
  measure.observe(bar);
  measure.observe(barKey);
}

export { announce };
