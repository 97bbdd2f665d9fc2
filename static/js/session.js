// The session page saves itself. What the state says is what happened: it reads "Saved" only after
// the clinic has answered for exactly what is on the page.
import { announce, setSaving } from "./clinic.js";
import { startMap } from "./injection-map.js";

const form = document.querySelector("form[data-session]");
const words = form.dataset;
const state = document.querySelector("[data-saving]");
const QUIET_MS = 700;

let changes = 0;
let kept = 0;
let running = null;
let timer = 0;
let halted = false;

function say(kind, text) {
  setSaving(state, kind, text);
}

function changed() {
  changes += 1;
  if (halted) return;
  say("idle", words.wordsWaiting);
  clearTimeout(timer);
  timer = setTimeout(() => send(), QUIET_MS);
}

// One request at a time: the revision of the next comes from the answer to the last.
async function send(extra = {}, address = form.action) {
  clearTimeout(timer);
  while (running) await running;
  running = post(extra, address);
  try {
    return await running;
  } finally {
    running = null;
    if (!halted && kept < changes) {
      clearTimeout(timer);
      timer = setTimeout(() => send(), QUIET_MS);
    }
  }
}

async function post(extra, address, again = true) {
  const upTo = changes;
  const body = new FormData(form);
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  say("saving", words.wordsSaving);
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body, headers: { "X-Autosave": "1" }, redirect: "manual" });
  } catch {
    say("failed", words.wordsOffline);
    setTimeout(() => { if (kept < changes || upTo === changes) retry(); }, 5000);
    return null;
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) return signedOut();
  if (answer.status === 403 && again && (await freshToken())) return post(extra, address, false);
  if (answer.status === 403) return signedOut();
  if (!answer.headers.get("content-type")?.includes("json")) {
    say("failed", words.wordsFailed);
    return null;
  }
  const data = await answer.json();
  if (data.go) {
    kept = changes;
    location.assign(data.go);
    return data;
  }
  return take(data, upTo);
}

let retrying = 0;
function retry() {
  clearTimeout(retrying);
  if (navigator.onLine) send();
  else retrying = setTimeout(retry, 5000);
}
addEventListener("online", () => { if (kept < changes) send(); });

function take(data, upTo) {
  const out = document.querySelector("[data-signed-out]");
  out.hidden = true;
  showErrors(data);
  if (data.stale) {
    halted = true;
    say("failed", words.wordsStale);
    return data;
  }
  if (!data.revision) {
    say("failed", words.wordsFailed);
    return data;
  }
  form.elements.revision.value = data.revision;
  swap(data.parts);
  kept = upTo;
  const whole = !Object.keys(data.errors).length && !Object.keys(data.refused).length;
  if (!whole) say("failed", words.wordsPart);
  else if (kept === changes) say("saved", words.wordsSaved.replace("{time}", data.saved));
  else say("idle", words.wordsWaiting);
  return data;
}

function signedOut() {
  say("failed", words.wordsSignedOut);
  document.querySelector("[data-signed-out]").hidden = false;
  return null;
}

// After signing in again in another window the form needs the new session's token.
async function freshToken() {
  const page = await fetch(words.page, { redirect: "manual" }).catch(() => null);
  if (!page?.ok) return false;
  const found = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("[name=csrfmiddlewaretoken]");
  if (!found) return false;
  form.elements.csrfmiddlewaretoken.value = found.value;
  return true;
}
addEventListener("focus", () => {
  if (!document.querySelector("[data-signed-out]").hidden) send();
});

function swap(parts = {}) {
  for (const [name, html] of Object.entries(parts)) {
    const old = document.querySelector(`[data-part="${name}"]`);
    if (!old) continue;
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(`[data-part="${name}"]`);
    const open = new Set([...old.querySelectorAll("[data-row] details[open]")].map((d) => keyOf(d.closest("[data-row]"))));
    for (const row of fresh.querySelectorAll("[data-row]")) {
      if (open.has(keyOf(row))) row.querySelector("details").open = true;
    }
    old.replaceWith(document.importNode(fresh, true));
  }
  if (parts.charts) {
    form.elements.charts.value = [...document.querySelectorAll("[data-chart].imap-chart")].map((c) => c.dataset.chart).join(",");
  }
  if (parts.rows || parts.charts) map.refresh();
  tick();
}

function keyOf(row) {
  return `${row.dataset.area}:${row.dataset.side}`;
}

function showErrors(data) {
  for (const place of form.querySelectorAll("[data-errors]")) place.textContent = data.refused[place.dataset.errors] ?? "";
  for (const marked of form.querySelectorAll("[data-live-error]")) marked.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const [id, text] of Object.entries(data.errors)) {
    const control = document.getElementById(id) ?? form.querySelector(`[data-errors="${id}"]`);
    if (!control) continue;
    const line = Object.assign(document.createElement("p"), { className: "field-error", textContent: text, id: `${id}_live` });
    line.dataset.liveError = "";
    control.setAttribute("aria-invalid", "true");
    (control.closest(".unit-input") ?? control).before(line);
  }
  const place = document.querySelector("[data-sign-problems]");
  place.replaceChildren();
  if (data.problems.length) {
    const list = document.createElement("ul");
    list.className = "session-findings";
    for (const text of data.problems) list.append(Object.assign(document.createElement("li"), { className: "tone-stop", textContent: text }));
    place.append(list);
    if (!data.stale) list.scrollIntoView({ block: "center" });
  }
}

form.addEventListener("input", changed);
form.addEventListener("change", changed);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  const row = button?.dataset.addRow;
  if (row) return addRow(row);
  const doing = button?.value ?? "save";
  if (doing === "sign") {
    button.setAttribute("aria-busy", "true");
    await send({ do: "sign" }, words.sign);
    button.removeAttribute("aria-busy");
    return undefined;
  }
  if (doing === "save") return send();
  return press(doing);
});

async function press(doing, more = {}) {
  const active = document.activeElement?.value;
  map.remember();
  const data = await send({ do: doing, ...more });
  const again = active && form.querySelector(`button[name=do][value="${CSS.escape(active)}"]`);
  (again ?? document.getElementById("new-area"))?.focus({ preventScroll: true });
  if (data) announce(data.refused?.areas ?? document.querySelector(".imap-row.is-chosen .imap-count")?.textContent ?? "");
  return data;
}

function addRow(name) {
  const lines = form.querySelector(`[data-rows="${name}"]`);
  const last = lines.lastElementChild;
  const count = form.elements[`${name}-TOTAL_FORMS`];
  const number = Number(count.value);
  const line = last.cloneNode(true);
  for (const node of line.querySelectorAll("[id], [name], [for], [data-now]")) {
    for (const key of ["id", "name", "for", "data-now", "aria-describedby"]) {
      const value = node.getAttribute(key);
      if (value) node.setAttribute(key, value.replaceAll(`${name}-${number - 1}-`, `${name}-${number}-`));
    }
    if ("value" in node && node.matches("input, select")) node.value = "";
  }
  for (const old of line.querySelectorAll("[data-live-error]")) old.remove();
  count.value = number + 1;
  lines.append(line);
  line.querySelector("select, input")?.focus();
}

// "Now" writes the time at the location, wherever this device thinks it is.
for (const button of document.querySelectorAll("[data-now], [data-discard]")) button.hidden = false;
form.addEventListener("click", (event) => {
  const now = event.target.closest("[data-now]");
  const rest = event.target.closest("[data-discard]");
  if (now) {
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: words.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date());
    document.getElementById(now.dataset.now).value = clock;
    changed();
  }
  if (rest) discardRest(document.getElementById(rest.dataset.discard));
});

// What is left is the clinic's own sum, which must know the latest entries before it is taken over.
async function discardRest(field) {
  if (kept < changes) await send();
  if (kept < changes) return;
  const left = Number(document.querySelector("[data-left]").dataset.left);
  field.value = left > 0 ? left : 0;
  changed();
}

// The wait of a numbing cream, counted from when it went on.
function tick() {
  for (const wait of document.querySelectorAll("[data-wait][data-ready]")) {
    const place = wait.querySelector("[data-countdown]");
    if (!place || wait.dataset.off) continue;
    const minutes = Math.ceil((Date.parse(wait.dataset.ready) - Date.now()) / 60000);
    wait.dataset.state = minutes > 0 ? "waiting" : "ready";
    place.textContent = minutes > 0 ? words.wordsMinutes.replace("{minutes}", minutes) : words.wordsReady;
  }
}
setInterval(tick, 10000);

addEventListener("beforeunload", (event) => {
  if (kept < changes) event.preventDefault();
});

const map = startMap(form, { changed, press, announce, words });
tick();
