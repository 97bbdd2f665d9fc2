// The note saves itself, section by section. What the state says is what happened: it reads "Saved"
// only after the clinic has answered for all that is on the page. What is not saved yet is kept in
// this browser as well (local-copy.js), and comes back with the page.
import { announce, setSaving } from "./clinic.js";
import { startDrawing } from "./chart-marks.js";
import { LocalCopy } from "./local-copy.js";
import { stillHere } from "./still-here.js";

const QUIET_MS = 1200;
const AGAIN_MS = 5000;
const ASIDE = new Set(["csrfmiddlewaretoken", "revision", "writer", "changed", "take_over", "shape", "marks", "marks_known", "do", "add_scale"]);

const form = document.querySelector("form[data-note]");
const words = form.dataset;
const state = document.querySelector("[data-saving]");
const copy = new LocalCopy(words.copy, words.key);
const findings = form.querySelector("[data-findings]");

let base = {};
let baseMarks = "[]";
let running = null;
let timer = 0;
let halted = false;
let passing = false;
let restored = [];
let asked = false;

// --- what is on the page ----------------------------------------------------------------------

function sections() {
  const found = {};
  for (const part of form.querySelectorAll("[data-section]")) found[part.dataset.section] = [];
  for (const control of form.elements) {
    const section = control.closest("[data-section]")?.dataset.section;
    if (!section || !control.name || ASIDE.has(control.name) || control.type === "submit") continue;
    if ((control.type === "checkbox" || control.type === "radio") && !control.checked) continue;
    found[section].push([control.name, control.value]);
  }
  return Object.fromEntries(Object.entries(found).map(([name, entries]) => [name, JSON.stringify(meant(name, entries))]));
}

// The blank row at the end of the findings says nothing.
function meant(section, entries) {
  if (section !== "findings") return entries;
  const chosen = new Set(entries.filter(([name, value]) => name.endsWith("-area") && value).map(([name]) => name.slice(0, -4)));
  return entries.filter(([name, value]) => chosen.has(name.replace(/[^-]+$/, "")) || (value && !name.endsWith("-side")));
}

function changedSections(now = sections()) {
  return Object.keys(now).filter((name) => now[name] !== base[name]);
}

const drawn = () => drawing.text() !== baseMarks;
const dirty = () => changedSections().length > 0 || drawn();

// --- saying so --------------------------------------------------------------------------------

function say(kind, text) {
  setSaving(state, kind, text);
}

// Why it is not saved, and that it is kept here, once it is.
async function failed(text) {
  say("failed", text);
  announce(text);
  if (dirty() && (await keepHere())) say("failed", `${text} · ${words.wordsKept}`);
}

function keepHere() {
  const entries = [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "writer", "changed", "take_over"].includes(name));
  return copy.put({ revision: Number(form.elements.revision.value), entries, changed: changedSections() });
}

function changed() {
  form.dataset.changed = "yes";
  keepHere();
  if (halted) return;
  say("idle", words.wordsWaiting);
  clearTimeout(timer);
  timer = setTimeout(() => save(), QUIET_MS);
}

// --- saving -----------------------------------------------------------------------------------

// One request at a time: the revision of the next comes from the answer to the last.
async function save() {
  clearTimeout(timer);
  while (running) await running;
  if (!dirty() && !form.elements.take_over.value) return settled();
  running = post();
  try {
    return await running;
  } finally {
    running = null;
  }
}

// Nothing differs from what the clinic has.
async function settled() {
  if (state.dataset.state !== "saved") say("idle", "");
  delete form.dataset.changed;
  await forget();
  return true;
}

async function forget() {
  copy.forget(restored);
  restored = [];
  await copy.drop();
}

function later(wait) {
  clearTimeout(timer);
  if (!halted) timer = setTimeout(() => save(), wait);
}

async function post(mayRenew = true) {
  const now = sections();
  const marks = drawing.text();
  const body = new FormData(form);
  body.set("changed", changedSections(now).join(","));
  say("saving", words.wordsSaving);
  let answer;
  try {
    if (!navigator.onLine) throw new TypeError("offline");
    answer = await fetch(location.pathname, { method: "POST", body, headers: { "X-Autosave": "yes" }, redirect: "manual", credentials: "same-origin" });
  } catch {
    await failed(navigator.onLine ? words.wordsFailed : words.wordsOffline);
    later(AGAIN_MS);
    return false;
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) return signIn();
  // Signing in elsewhere changes the form's token: fetch the new one and send again, once.
  if (answer.status === 403) return mayRenew && (await stillHere()) === "here" ? post(false) : signIn();
  if (!answer.headers.get("content-type")?.includes("json")) {
    await failed(words.wordsFailed);
    later(AGAIN_MS);
    return false;
  }
  return read(await answer.json(), answer.status, now, marks);
}

async function read(told, status, sent, marks) {
  if (status === 423) return held(told);
  if (status === 409 && told.clashes) return clash(told);
  if (!("revision" in told)) return refused(told, status);
  form.elements.revision.value = told.revision;
  form.elements.take_over.value = "";
  form.querySelector("[data-held]").hidden = true;
  for (const name of told.saved) if (name in sent) base[name] = sent[name];
  baseMarks = marks;
  form.elements.marks_known.value = JSON.parse(marks).map((mark) => mark.key).join(",");
  showScores(told);
  showErrors(told.errors);
  document.body.dispatchEvent(new CustomEvent("draft-saved"));
  if (Object.keys(told.errors).length) {
    await failed(words.wordsPart);
    return false;
  }
  for (const name of told.saved) form.querySelector(`[data-origin="${name}"]`)?.toggleAttribute("hidden", touched.has(name));
  if (dirty()) {
    say("idle", words.wordsWaiting);
    later(QUIET_MS);
    return false;
  }
  delete form.dataset.changed;
  await forget();
  // What was written while the copy went is not saved.
  if (dirty()) {
    changed();
    return false;
  }
  say("saved", told.words);
  return true;
}

function refused(told, status) {
  if (status === 409) return failed(words.wordsOther).then(() => false);
  form.querySelector("[data-held]").hidden = false;
  form.querySelector("[data-held-words]").textContent = told.message;
  form.querySelector("[data-take-over]").hidden = true;
  return failed(`${words.wordsNot} ${told.message}`).then(() => false);
}

async function signIn() {
  await failed(words.wordsSignIn);
  const link = Object.assign(document.createElement("a"), { href: words.signIn, target: "_blank", rel: "noopener", textContent: words.wordsSignIn });
  state.querySelector("[data-words]").replaceChildren(link);
  return false;
}

// Somebody else is writing: said with who and since when; the words stay here.
function held(told) {
  const box = form.querySelector("[data-held]");
  box.hidden = false;
  box.querySelector("[data-held-words]").textContent = told.held;
  box.querySelector("[data-take-over]").hidden = false;
  return failed(`${words.wordsNot} ${told.held}`).then(() => false);
}

// --- answers shown on the page ------------------------------------------------------------------

function showScores(told) {
  const note = form.querySelector("[data-computed]");
  note.hidden = !told.by_questions;
  note.querySelector("[data-computed-words]").textContent = told.by_questions.charAt(0).toUpperCase() + told.by_questions.slice(1);
  for (const scale of form.querySelectorAll("[data-scale]")) scale.querySelector("[data-score]").textContent = told.scores[scale.dataset.scale] ?? "";
  if (!told.parts || changedSections().includes("scales")) return;
  const old = form.querySelector("[data-part=scales]");
  const fresh = new DOMParser().parseFromString(told.parts.scales, "text/html").querySelector("[data-part=scales]");
  const within = old.contains(document.activeElement);
  old.replaceWith(document.importNode(fresh, true));
  base.scales = sections().scales;
  dress();
  if (within) form.querySelector("#add-scale, [data-scale] select, [data-scale] input")?.focus();
}

function showErrors(errors) {
  for (const line of form.querySelectorAll("[data-live-error]")) line.remove();
  for (const control of form.querySelectorAll("[data-live-wrong]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("data-live-wrong");
  }
  for (const [id, text] of Object.entries(errors)) {
    const control = document.getElementById(id);
    if (!control) continue;
    const line = Object.assign(document.createElement("p"), { className: "field-error", textContent: text, id: `${id}_live` });
    line.dataset.liveError = control.dataset.liveWrong = "";
    control.setAttribute("aria-invalid", "true");
    control.before(line);
  }
}

// --- written in two places ----------------------------------------------------------------------

async function clash(told) {
  halted = true;
  const panel = form.querySelector("[data-clashes]");
  const open = new Set(told.clashes.map((one) => one.section));
  panel.querySelector("[data-clash-list]").replaceChildren(...told.clashes.map((one) => clashRow(one, () => settle(one.section))));
  panel.hidden = false;
  panel.scrollIntoView({ block: "center" });
  await failed(words.wordsClash);
  return false;

  async function settle(section) {
    open.delete(section);
    if (open.size) return;
    form.elements.revision.value = told.revision;
    halted = false;
    panel.hidden = true;
    if (await save()) location.reload();
  }
}

function clashRow(one, done) {
  const row = Object.assign(document.createElement("div"), { className: "clash" });
  const both = Object.assign(document.createElement("div"), { className: "clash-both" });
  const theirs = words.wordsTheirs.replace("{name}", one.by).replace("{time}", one.at);
  both.append(version(words.wordsMine, one.mine), version(theirs, one.theirs));
  const buttons = Object.assign(document.createElement("p"), { className: "actions" });
  const button = (text, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: text });
    made.addEventListener("click", () => {
      act();
      for (const other of buttons.children) {
        other.disabled = true;
        other.setAttribute("aria-pressed", String(other === made));
      }
      done();
    });
    buttons.append(made);
  };
  button(words.wordsKeepMine, () => {});
  // What is saved stays: this section is not sent, and the page is read anew at the end.
  button(words.wordsTakeTheirs, () => { base[one.section] = sections()[one.section]; });
  if (one.text) button(words.wordsBoth, () => { form.elements[one.section].value = `${one.theirs}\n\n${form.elements[one.section].value}`.trim(); });
  row.append(Object.assign(document.createElement("h3"), { textContent: one.label }), both, buttons);
  return row;
}

function version(title, text) {
  const part = document.createElement("div");
  part.append(
    Object.assign(document.createElement("p"), { className: "small muted", textContent: title }),
    Object.assign(document.createElement("pre"), { textContent: text || words.wordsNothing }),
  );
  return part;
}

// --- coming back --------------------------------------------------------------------------------

// Words that a page has left here which is gone: put into the form, and saved.
async function restore() {
  restored = await copy.left();
  // A page that is just being left may still hold its copy: ask once more.
  if (copy.isHeld && !asked) setTimeout(restore, AGAIN_MS / 3);
  asked = true;
  for (const { value } of restored) {
    const entries = value.entries;
    form.elements.revision.value = Math.min(Number(form.elements.revision.value), value.revision);
    for (const section of value.changed) fill(section, entries);
    const of = (name) => entries.find(([one]) => one === name)?.[1] ?? "";
    drawing.restore(JSON.parse(of("marks") || "[]"), of("marks_known").split(",").filter(Boolean));
  }
  dress();
  if (!restored.length) return;
  if (!dirty()) {
    await forget();
    return;
  }
  changed();
  if (await save()) form.querySelector("[data-restored]").hidden = false;
}

function fill(section, entries) {
  const part = form.querySelector(`[data-section="${section}"]`);
  if (!part) return;
  if (section === "findings") rowsFor(entries);
  const given = new Map();
  for (const [name, value] of entries) given.set(name, [...(given.get(name) ?? []), value]);
  for (const control of part.querySelectorAll("input, select, textarea")) {
    if (!control.name || ASIDE.has(control.name)) continue;
    const values = given.get(control.name) ?? [];
    if (control.type === "checkbox" || control.type === "radio") control.checked = values.includes(control.value);
    else if (control.type !== "hidden") control.value = values[0] ?? "";
  }
  // An answer to a scale that is no longer on the page goes along unseen.
  for (const [name, values] of given) {
    if (section !== "scales" || !name.startsWith("score-") || form.elements[name] || !values[0]) continue;
    part.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: values[0] }));
  }
}

// --- the findings -------------------------------------------------------------------------------

const blank = findings.lastElementChild.cloneNode(true);
let rows = findings.children.length;

function addRow(number = rows) {
  const row = blank.cloneNode(true);
  for (const node of row.querySelectorAll("[id], [name], [for]")) {
    for (const key of ["id", "name", "for"]) {
      const value = node.getAttribute(key);
      if (value) node.setAttribute(key, value.replace(/f-\d+-/, `f-${number}-`));
    }
  }
  rows = Math.max(rows, number + 1);
  findings.append(row);
  dress();
  return row;
}

function rowsFor(entries) {
  for (const [name] of entries) {
    const number = /^f-(\d+)-area$/.exec(name)?.[1];
    if (number !== undefined && !form.elements[name]) addRow(Number(number));
  }
  for (const row of [...findings.children]) {
    const name = row.querySelector("select").name;
    if (!entries.some(([one]) => one === name)) row.querySelector("select").value = "";
  }
}

const parts = JSON.parse(findings.dataset.parts);
const sided = new Set(JSON.parse(findings.dataset.sided));

// Only the signs of this part of the body, and a side only where there is one.
function dressRow(row) {
  const area = row.querySelector("select").value;
  for (const chip of row.querySelectorAll(".chip")) {
    const shown = !area || chip.dataset.for.split(" ").includes(parts[area]) || chip.querySelector("input").checked;
    chip.hidden = !shown;
  }
  const text = row.querySelector("[data-in-words]");
  text.hidden = !area && !text.querySelector("input").value;
  row.querySelector("[data-side]").hidden = !sided.has(area);
  row.querySelector("[data-remove-finding]").hidden = !area;
  row.querySelector(".chips").hidden = !area;
}

function dress() {
  for (const row of findings.children) dressRow(row);
  for (const scale of form.querySelectorAll("[data-scale]")) {
    scale.querySelector("[data-clear-scale]").hidden = ![...scale.querySelectorAll("input, select")].some((one) => (one.type === "radio" ? one.checked : one.value));
  }
  const decision = form.querySelector("[name=decision]:checked")?.value ?? "";
  for (const line of form.querySelectorAll("[data-when]")) line.hidden = !line.dataset.when.split(" ").includes(decision) && ![...line.querySelectorAll("input, textarea")].some((one) => one.value);
}

// --- what people do -----------------------------------------------------------------------------

const touched = new Set();
function typed(event) {
  if (event.target.closest("[data-draw]") || !event.target.name || event.target.name === "add_scale") return;
  touched.add(event.target.closest("[data-section]")?.dataset.section);
  const scale = event.target.closest("[data-scale]");
  if (scale) scale.querySelector("[data-score]").textContent = "";
  dress();
  changed();
}
form.addEventListener("input", typed);

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button]");
  if (button?.matches("[data-remove-finding]")) {
    const row = button.closest("[data-finding]");
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (findings.children.length === 1) addRow();
    row.remove();
    next?.querySelector("select").focus();
    changed();
  }
  if (button?.matches("[data-clear-scale]")) {
    for (const one of button.closest("[data-scale]").querySelectorAll("input, select")) {
      if (one.type === "radio") one.checked = false;
      else one.value = "";
    }
    button.closest("[data-scale]").querySelector("[data-score]").textContent = "";
    dress();
    changed();
  }
  if (button?.matches("[data-copy-mine]")) copyMine();
});

async function copyMine() {
  const lines = changedSections().flatMap((section) => [...form.querySelectorAll(`[data-section="${section}"] :is(textarea, input[type=text])`)].map((one) => one.value).filter(Boolean));
  await navigator.clipboard.writeText(lines.join("\n\n"));
  announce(words.wordsCopied);
}

form.addEventListener("submit", async (event) => {
  if (passing) return;
  event.preventDefault();
  const button = event.submitter;
  if (button?.matches("[data-another-finding]")) {
    const last = findings.lastElementChild;
    const row = last.querySelector("select").value ? addRow() : last;
    row.querySelector("select").focus();
    return;
  }
  if (button?.matches("[data-take-over]")) form.elements.take_over.value = "1";
  if (button?.matches("[data-add-scale]") && !addScale()) return;
  if (button?.ariaBusy === "true") return;
  button?.setAttribute("aria-busy", "true");
  const kept = await flush();
  button?.removeAttribute("aria-busy");
  if (kept && button && button.value !== "save") pass(button);
});

// A scale that was chosen goes to the clinic with the next save, which brings its questions.
function addScale() {
  const choice = form.querySelector("#add-scale");
  if (!choice.value) return choice.focus();
  choice.before(Object.assign(document.createElement("input"), { type: "hidden", name: "scales", value: choice.value }));
  choice.value = "";
  return true;
}

// Save until nothing is left to save, or it cannot be.
async function flush() {
  for (let turn = 0; turn < 5; turn += 1) {
    if (await save()) return true;
    if (halted || state.dataset.state === "failed") return false;
  }
  return false;
}

// Everything is saved: the button may have its page. Not within the press itself, in which a form
// cannot be sent again.
function pass(button) {
  setTimeout(() => {
    passing = true;
    form.querySelector("[data-changed-sections]").value = "";
    form.requestSubmit(button);
  });
}
addEventListener("pageshow", () => { passing = false; });

// --- other tabs, other people, the network --------------------------------------------------------

addEventListener("online", () => { if (dirty()) later(0); });

async function look() {
  if (halted || passing || document.hidden) return;
  if (dirty()) return later(0);
  const answer = await fetch(words.state, { redirect: "manual", credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const told = await answer.json();
  if (dirty()) return;
  if (told.signed || String(told.writer) !== form.elements.writer.value || told.revision > Number(form.elements.revision.value)) location.reload();
  else if (told.held) held(told);
}
addEventListener("focus", look);
document.addEventListener("visibilitychange", look);

const drawing = startDrawing(form.querySelector("[data-draw]"), { changed, announce, words, areaName });

function areaName(area, side) {
  const name = blank.querySelector(`select option[value="${CSS.escape(area)}"]`)?.textContent ?? area;
  const which = blank.querySelector(`[data-side] option[value="${CSS.escape(side)}"]`)?.textContent;
  return side === "none" || !which ? name : `${name}, ${which}`;
}

for (const button of form.querySelectorAll("[data-copy-mine]")) button.hidden = false;

base = words.written === "*" ? {} : sections();
baseMarks = drawing.text();
dress();
restore();
