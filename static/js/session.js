// The session page saves itself. What the state says is what happened: it reads "Saved" only after
// the clinic has answered for exactly what is on the page.
import { announce, setSaving } from "./clinic.js";
import { startMap } from "./injection-map.js";
import { Keeper } from "./keep.js";
import { stillHere } from "./still-here.js";

const form = document.querySelector("form[data-session]");
const words = form.dataset;
const state = document.querySelector("[data-saving]");
const QUIET_MS = 700;

let changes = 0;
let kept = 0;
let running = null;
let timer = 0;
let halted = false;
let onDevice = false;
const unanswered = [];
const keeper = new Keeper(words.keep, words.keepKey);

function say(kind, text) {
  setSaving(state, kind, text);
}

function changed() {
  changes += 1;
  keep();
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
  const attempt = crypto.randomUUID?.() ?? String(Date.now());
  body.set("attempt", attempt);
  body.set("unanswered", unanswered.join(","));
  say("saving", words.wordsSaving);
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body, headers: { "X-Autosave": "1" }, redirect: "manual" });
  } catch {
    unanswered.push(attempt);
    keep();
    say("failed", onDevice ? words.wordsKept : words.wordsOffline);
    setTimeout(() => { if (kept < changes || upTo === changes) retry(); }, 5000);
    return null;
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) return signedOut();
  if (answer.status === 403 && again && (await stillHere()) === "here") return post(extra, address, false);
  if (answer.status === 403) return signedOut();
  if (!answer.headers.get("content-type")?.includes("json")) {
    say("failed", words.wordsFailed);
    return null;
  }
  const data = await answer.json();
  unanswered.length = 0;
  if (data.go) {
    kept = changes;
    await keeper.drop();
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
  else if (kept === changes) {
    keeper.drop();
    onDevice = false;
    say("saved", words.wordsSaved.replace("{time}", data.saved));
  }
  else say("idle", words.wordsWaiting);
  return data;
}

function signedOut() {
  say("failed", words.wordsSignedOut);
  document.querySelector("[data-signed-out]").hidden = false;
  return null;
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
  else map.count();
  if (parts.mix || parts.discard) showButtons();
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
  if (row) return addRow(button);
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

function addRow(button) {
  const name = button.dataset.addRow;
  const lines = (button.closest("[data-tray]") ?? form).querySelector(`[data-rows="${name}"]`);
  const last = lines.lastElementChild;
  const total = form.elements[`${name}-TOTAL_FORMS`];
  const next = Number(total.value);
  const own = new RegExp(`${name}-\\d+-`, "g");
  const line = last.cloneNode(true);
  for (const node of line.querySelectorAll("[id], [name], [for], [data-now]")) {
    for (const key of ["id", "name", "for", "data-now", "aria-describedby"]) {
      const value = node.getAttribute(key);
      if (value) node.setAttribute(key, value.replace(own, `${name}-${next}-`));
    }
    if (node.matches("input:not([type=hidden]), select")) node.value = "";
  }
  for (const old of line.querySelectorAll("[data-live-error]")) old.remove();
  total.value = next + 1;
  lines.append(line);
  line.querySelector("select, input:not([type=hidden])")?.focus();
}

// "Now" writes the time at the location, wherever this device thinks it is.
function showButtons() {
  for (const button of document.querySelectorAll("[data-now], [data-discard]")) button.hidden = false;
}
showButtons();
const clockNow = () => new Intl.DateTimeFormat("en-GB", { timeZone: words.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date());
form.addEventListener("click", (event) => {
  const now = event.target.closest("[data-now]");
  const rest = event.target.closest("[data-discard]");
  if (now) {
    document.getElementById(now.dataset.now).value = clockNow();
    changed();
  }
  if (rest) discardRest(rest.dataset.discard, rest.dataset.of);
});

// What is left is the clinic's own sum, which must know the latest entries before it is taken over.
async function discardRest(id, label) {
  if (kept < changes) await send();
  if (kept < changes) return;
  const line = document.querySelector(`[data-part=bench] [data-syringe="${label}"]`);
  const left = Number(line?.dataset.remains ?? 0);
  document.getElementById(id).value = left > 0 ? left : 0;
  changed();
}

// The wait of a numbing cream, counted from when it went on; the next one up stands in the strip.
const MINUTE = 60000;
function tick() {
  const chip = document.querySelector("[data-wait-chip]");
  const running = [];
  for (const wait of document.querySelectorAll("[data-wait][data-ready]")) {
    const place = wait.querySelector("[data-countdown]");
    if (!place || wait.dataset.off) continue;
    const minutes = Math.ceil((Date.parse(wait.dataset.ready) - Date.now()) / MINUTE);
    const over = wait.dataset.longest && Date.now() > Date.parse(wait.dataset.longest);
    wait.dataset.state = over ? "over" : minutes > 0 ? "waiting" : "ready";
    place.textContent = over ? words.wordsOffNow : minutes > 0 ? words.wordsMinutes.replace("{minutes}", minutes) : words.wordsReady;
    running.push({ state: wait.dataset.state, said: `${wait.dataset.name.replace(/ \(.*/, "")}: ${place.textContent}` });
  }
  const first = running.find((one) => one.state === "over") ?? running.find((one) => one.state === "ready") ?? running[0];
  chip.hidden = !first;
  if (!first) return;
  if (chip.dataset.state && chip.dataset.state !== first.state) announce(first.said);
  chip.dataset.state = first.state;
  chip.querySelector("[data-words]").textContent = first.said;
}
setInterval(tick, 5000);

// -- what this device keeps until the clinic has it ---------------------------------------------

const NEVER_KEPT = new Set(["csrfmiddlewaretoken", "revision", "charts", "new_line", "new_area"]);

function entered() {
  return [...new FormData(form)].filter(([name, value]) => !NEVER_KEPT.has(name) && typeof value === "string");
}

function keep() {
  const upTo = changes;
  const data = { at: clockNow(), revision: form.elements.revision.value, unanswered: [...unanswered], entered: entered() };
  keeper.put(data).then((done) => {
    onDevice = done;
    if (kept >= changes && upTo === changes && !unanswered.length) keeper.drop();
  });
}

// Rows that were added on the page are added again, so that each entry finds its place.
function putBack(data) {
  const wanted = new Map();
  for (const [name, value] of data.entered) wanted.set(name, [...(wanted.get(name) ?? []), value]);
  for (const name of ["mix", "cream"]) {
    const button = form.querySelector(`[data-add-row="${name}"]`);
    const total = Number(wanted.get(`${name}-TOTAL_FORMS`)?.[0] ?? 0);
    while (button && Number(form.elements[`${name}-TOTAL_FORMS`].value) < total) addRow(button);
  }
  for (const control of form.elements) {
    if (!control.name || NEVER_KEPT.has(control.name) || control.matches("button") || control.name.endsWith("_FORMS")) continue;
    const values = wanted.get(control.name) ?? [];
    if (control.matches("[type=checkbox], [type=radio]")) control.checked = values.includes(control.value);
    else if (values.length) control.value = values[0];
  }
  map.refresh();
}

async function lookAtDevice() {
  const data = await keeper.get();
  if (!data) return;
  if (JSON.stringify(data.entered) === JSON.stringify(entered())) {
    keeper.drop();
    return;
  }
  const note = document.querySelector("[data-kept]");
  const place = note.querySelector("[data-kept-words]");
  const choice = note.querySelector("[data-kept-choice]");
  const arrived = data.unanswered.includes(words.savedAs) && Number(data.revision) + 1 === Number(form.elements.revision.value);
  const ours = arrived || data.revision === form.elements.revision.value;
  place.textContent = (ours ? place.dataset.same : place.dataset.other).replace("{time}", data.at);
  note.hidden = false;
  if (ours) {
    if (!arrived) unanswered.push(...data.unanswered);
    putBack(data);
    changed();
    return;
  }
  choice.hidden = false;
  choice.querySelector("[data-kept-put]").addEventListener("click", () => { putBack(data); note.hidden = true; changed(); });
  choice.querySelector("[data-kept-drop]").addEventListener("click", () => { keeper.drop(); note.hidden = true; });
}

addEventListener("beforeunload", (event) => {
  if (kept < changes) event.preventDefault();
});

const map = startMap(form, { changed, press, announce, words });
tick();
lookAtDevice();
