// The diary's manners: keys, hidden names, and noticing what others change. Everything can be done
// without them.
import { keysAreOn } from "./clinic.js";

const POLL_MS = 20_000;
const root = document.documentElement;

function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Kept for this page only.
  }
}

// ---- keys: an element with data-key is pressed by that key ------------------------------------

function isTaken(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], [role=region][tabindex]");
}
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keysAreOn() || isTaken(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const wanted = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!wanted) return;
  event.preventDefault();
  wanted.click();
});
const switcher = document.querySelector("[data-keys-on]");
if (switcher) {
  switcher.checked = keysAreOn();
  switcher.addEventListener("change", () => keep("keys", switcher.checked ? null : "off"));
}
for (const button of document.querySelectorAll(".diary-menu [hidden]")) button.hidden = false;

// ---- names are hidden on this device until someone shows them again ---------------------------

const hider = document.querySelector("[data-hide-names]");
function showHider() {
  hider?.setAttribute("aria-pressed", String(root.dataset.names === "hidden"));
}
hider?.addEventListener("click", () => {
  const hidden = root.dataset.names !== "hidden";
  if (hidden) root.dataset.names = "hidden";
  else delete root.dataset.names;
  keep("names", hidden ? "hidden" : null);
  showHider();
});
showHider();

document.querySelector("[data-print]")?.addEventListener("click", (event) => {
  event.currentTarget.closest("details").open = false;
  print();
});

// ---- noticing what others change --------------------------------------------------------------

// A header of its own: asking by itself is not someone at work, and must not keep a login alive.
export const BY_ITSELF = { "X-Polling": "1" };

// True for an answer that belongs to the page; a session that has ended goes to the sign-in page.
export function isOurs(answer) {
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
    location.reload();
    return false;
  }
  return answer.ok;
}

const watch = document.querySelector("[data-watch]");
async function look() {
  if (document.hidden || !navigator.onLine || document.querySelector("dialog[open], .ec-dragging, .ec-resizing-y, .ec-selecting")) return;
  const answer = await fetch(watch.dataset.watch, { headers: BY_ITSELF, redirect: "manual" }).catch(() => null);
  if (!answer || !isOurs(answer)) return;
  const { stamp } = await answer.json();
  if (stamp !== watch.dataset.stamp) document.dispatchEvent(new CustomEvent("diary:changed"));
}
if (watch) {
  setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", look);
}

// The list is fetched anew in place; the keyboard stays where it was.
document.addEventListener("diary:changed", async () => {
  if (document.querySelector("[data-calendar]")) return;
  const answer = await fetch(location.href, { headers: BY_ITSELF, redirect: "manual" }).catch(() => null);
  if (!answer || !isOurs(answer)) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-watch]");
  if (!fresh) return;
  const where = document.activeElement?.closest?.("tr[id]")?.id;
  watch.replaceChildren(...fresh.childNodes);
  watch.dataset.stamp = fresh.dataset.stamp;
  if (where) document.getElementById(where)?.querySelector("a")?.focus({ preventScroll: true });
  showMarks();
});

// ---- marks that other rooms know: consent, course ---------------------------------------------

export async function marksOf(ids, addresses) {
  const found = new Map();
  if (!ids.length) return found;
  for (const address of addresses.split(" ").filter(Boolean)) {
    const answer = await fetch(`${address}?appointments=${ids.join(",")}`, { headers: BY_ITSELF, redirect: "manual" }).catch(() => null);
    if (!answer?.ok) continue;
    for (const [id, mark] of Object.entries(await answer.json())) found.set(Number(id), [...(found.get(Number(id)) ?? []), mark]);
  }
  return found;
}

export function drawnMark({ icon, tone, word, title }, sprite) {
  const mark = document.createElement("span");
  mark.className = `card-mark tone-text-${tone}`;
  if (title) mark.title = title;
  mark.append(drawnIcon(icon, sprite), " ", word);
  return mark;
}

export function drawnIcon(name, sprite) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  svg.firstChild.setAttribute("href", `${sprite}#${name}`);
  return svg;
}

async function showMarks() {
  const places = [...document.querySelectorAll("[data-marks-of]")];
  const list = document.querySelector("[data-marks]:not([data-calendar])");
  if (!list) return;
  const marks = await marksOf(places.map((place) => place.dataset.marksOf), list.dataset.marks);
  for (const place of places) place.replaceChildren(...(marks.get(Number(place.dataset.marksOf)) ?? []).map((mark) => drawnMark(mark, list.dataset.sprite)));
}
showMarks();

// ---- in the booking form a free time fills in the form; without scripts it books at once ------

document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-free]");
  const form = chosen?.closest("[data-book-form]");
  if (!form) return;
  event.preventDefault();
  const [when, who] = chosen.value.split("|");
  [form.elements.date.value, form.elements.time.value] = when.split("T");
  form.elements.practitioner.value = who;
  for (const other of form.querySelectorAll("[data-free]")) other.setAttribute("aria-pressed", String(other === chosen));
  form.querySelector(".form-actions .btn-primary").focus();
});

// The browser's "back" brings what was chosen back, beside the free times of the day before it.
function isChosen(field) {
  if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected);
  return field.value !== field.defaultValue;
}
addEventListener("pageshow", () => {
  const form = document.querySelector("[data-book-form]");
  if (form && [form.elements.date, form.elements.time, ...form.querySelectorAll("select")].some(isChosen)) {
    form.elements.date.dispatchEvent(new Event("change", { bubbles: true }));
  }
});
