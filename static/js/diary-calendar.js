// Day and week as a calendar: what is dragged is asked of the clinic, and goes back when it says no.
// Times are those of the clock on the clinic's wall, written without a zone.
import { announce, goSoon } from "./clinic.js";
import { BY_ITSELF, drawnIcon, drawnMark, isOurs, marksOf } from "./diary.js";

const place = document.querySelector("[data-calendar]");
const words = place.dataset;
const watch = document.querySelector("[data-watch]");
const who = document.querySelector("[data-who]");
const isWeek = words.view === "week";
const SHORT_MINUTES = 25;
const SLOT_PX = 24;
const language = words.lang === "en" ? "en-GB" : words.lang;

let board = JSON.parse(document.getElementById("board").textContent);
let lines = new Map();
let marks = new Map();

const LINE = ["id", "start", "end", "practitioner", "room", "status", "name", "initials", "service", "with", "where", "intake", "handsOn", "clean", "over", "seen", "movable"];
function read() {
  lines = new Map(board.lines.map((row) => [row[0], Object.fromEntries(row.map((value, n) => [LINE[n], value]))]));
}

// ---- times without a zone ---------------------------------------------------------------------

const two = (number) => String(number).padStart(2, "0");
const dayOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const clockOf = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;
const minutesBetween = (from, to) => Math.round((Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / 60_000);
const spoken = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });

// ---- what is drawn ----------------------------------------------------------------------------

// In a room's column a visit lasts until the room is clean again.
const lastOf = (line) => (board.by === "room" && line.clean ? line.clean : line.end);

function eventsOf() {
  const all = board.columns.map(([id]) => id);
  const visits = [...lines.values()].map((line) => ({
    id: `a${line.id}`,
    start: line.start,
    end: lastOf(line),
    resourceIds: [board.by === "room" ? line.room : line.practitioner],
    editable: line.movable,
    title: `${line.start.slice(11)} ${line.name}`,
    classNames: ["visit-card", `tone-${board.looks[line.status][0]}`],
    extendedProps: { line },
  }));
  const off = board.shades.map(([start, end, column], n) => ({
    id: `s${n}`, start, end, display: "background", resourceIds: column === null ? all : [column], classNames: ["is-off"],
  }));
  const blocked = board.blocks.filter(([, , , column]) => column === null || all.includes(column)).map(([id, start, end, column, kind, reason, here]) => ({
    id: `b${id}`, start, end, display: "background", resourceIds: column === null ? all : [column], classNames: ["is-blocked"],
    extendedProps: { block: { id, start, end, column, here, words: [kind, reason].filter(Boolean).join(" · ") } },
  }));
  const chosen = who?.value ? (event) => event.resourceIds.includes(Number(who.value)) : () => true;
  return [...(isWeek ? off.filter(({ resourceIds }) => resourceIds.length === all.length) : off), ...blocked.filter(chosen), ...visits.filter(chosen)];
}

function span(className, ...children) {
  const made = document.createElement("span");
  made.className = className;
  made.append(...children);
  return made;
}

function drawn({ event }) {
  const { line, block } = event.extendedProps;
  if (block) return { domNodes: [span("block-words", drawnIcon("slash-circle", words.sprite), " ", block.words)] };
  return line ? { domNodes: [...parts(line), cardOf(line)] } : "";
}

// The patient is prepared before the practitioner comes, and the room is cleaned after: lighter.
function parts(line) {
  const whole = minutesBetween(line.start, lastOf(line));
  const before = line.handsOn ? minutesBetween(line.start, line.handsOn) : 0;
  const after = minutesBetween(line.end, lastOf(line));
  return [["part-before", before, words.wordsPrepare], ["part-after", after, words.wordsClean]].filter(([, minutes]) => minutes > 0).map(([name, minutes, word]) => {
    const part = span(`part ${name}`, span("visually-hidden", word));
    part.style.height = `${(minutes / whole) * 100}%`;
    part.title = word;
    return part;
  });
}

function cardOf(line) {
  const [, icon, word] = board.looks[line.status];
  const name = span("card-name", line.name);
  name.dataset.name = line.initials;
  const card = span("card-body", span("card-top", span("card-time", line.start.slice(11)), " ", name));
  const state = span("card-state", drawnIcon(icon, words.sprite), span("", word));
  state.title = word;
  card.append(state);
  if (line.over) card.append(span("card-mark", drawnIcon("layers", words.sprite), " ", words.wordsOver));
  if (line.intake !== "ok" && line.status !== "done") {
    const mark = span("card-mark", drawnIcon(line.intake === "missing" ? "clipboard-x" : "clock-history", words.sprite), span("visually-hidden", line.intake === "missing" ? words.wordsMissing : words.wordsOld));
    mark.title = line.intake === "missing" ? words.wordsMissing : words.wordsOld;
    card.append(mark);
  }
  card.append(...(marks.get(line.id) ?? []).map((mark) => drawnMark(mark, words.sprite)));
  card.append(span("card-what", `${line.service} · ${board.by === "room" ? line.with : line.where}`));
  card.classList.toggle("is-short", minutesBetween(line.start, lastOf(line)) < SHORT_MINUTES);
  return card;
}

// The library's roles promise a grid that its parts do not keep; without them it is a list of
// buttons under the names of their columns, which is what it is.
const PROMISES = "[role=grid], [role=row], [role=rowgroup], [role=columnheader], [role=gridcell], [role=rowheader], [role=table], [role=cell]";
function unpromise() {
  for (const node of place.querySelectorAll(PROMISES)) {
    node.removeAttribute("role");
    node.removeAttribute("aria-colindex");
  }
}
new MutationObserver(unpromise).observe(place, { childList: true, subtree: true });

// ---- the calendar -----------------------------------------------------------------------------

place.classList.toggle("is-week", isWeek);
read();
const calendar = EventCalendar.create(place, {
  ...shape(),
  view: isWeek ? "timeGridWeek" : "resourceTimeGridDay",
  date: board.date,
  firstDay: 1,
  locale: language,
  headerToolbar: { start: "", center: "", end: "" },
  allDaySlot: false,
  slotDuration: "00:15",
  slotLabelInterval: "01:00",
  slotHeight: SLOT_PX,
  slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
  dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
  columnWidth: isWeek ? "minmax(7.5rem, 1fr)" : "minmax(11rem, 1fr)",
  nowIndicator: true,
  editable: true,
  selectable: true,
  unselectAuto: true,
  longPressDelay: 500,
  eventContent: drawn,
  eventDidMount({ el, event }) { if (event.extendedProps.line) el.id = event.id; },
  eventClick({ event }) { openVisit(event.extendedProps.line); },
  eventDrop: moved,
  eventResize: moved,
  dateClick: clicked,
  select: selected,
});
showClosed();
fillWho();
showHash();
// It scrolls by itself, and an empty day has nothing in it that a key could reach.
const scrolled = place.querySelector(".ec-main");
scrolled.tabIndex = 0;
scrolled.setAttribute("aria-label", document.querySelector("h1").textContent);
loadMarks();

function shape() {
  return {
    resources: isWeek ? [] : board.columns.map(([id, title]) => ({ id, title })),
    events: eventsOf(),
    slotMinTime: board.first,
    slotMaxTime: board.last,
    timeZone: board.offset,
  };
}

function redraw() {
  for (const [name, value] of Object.entries(shape())) calendar.setOption(name, value);
}

function fillWho() {
  if (!who) return;
  who.append(...board.columns.map(([id, name]) => new Option(name, id)));
  who.value = board.columns.some(([id]) => String(id) === who.dataset.who) ? who.dataset.who : "";
  who.addEventListener("change", redraw);
  redraw();
}

function showClosed() {
  const note = document.querySelector("[data-closed]");
  note.hidden = !board.closed.length;
  note.querySelector("span").textContent = board.closed.map(([day, why]) => (isWeek ? `${spoken.format(new Date(`${day}T12:00`))}: ${why}` : why)).join(" · ");
}

function showHash() {
  const card = location.hash && document.getElementById(location.hash.slice(1));
  if (!card) return;
  card.scrollIntoView({ block: "center" });
  card.focus();
}

async function loadMarks() {
  marks = await marksOf([...lines.keys()], words.marks);
  if (marks.size) keepingFocus(() => calendar.setOption("events", eventsOf()));
}

// The calendar draws its cards anew; the keyboard stays on the one it was on.
function keepingFocus(draw) {
  const focused = document.activeElement?.closest?.(".visit-card")?.id;
  draw();
  if (focused) setTimeout(() => document.getElementById(focused)?.focus({ preventScroll: true }));
}

// Asked again after one's own change and when others changed the day.
async function refresh(headers = {}) {
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "application/json", ...headers }, redirect: "manual" }).catch(() => null);
  if (!answer || !isOurs(answer)) return;
  board = await answer.json();
  watch.dataset.stamp = board.stamp;
  read();
  keepingFocus(redraw);
  showClosed();
  loadMarks();
}
document.addEventListener("diary:changed", () => refresh(BY_ITSELF));

// ---- moving -----------------------------------------------------------------------------------

function moved({ event, newResource, revert }) {
  const { line } = event.extendedProps;
  const column = newResource?.id ?? (board.by === "room" ? line.room : line.practitioner);
  const end = `${dayOf(event.end)}T${clockOf(event.end)}`;
  const start = `${dayOf(event.start)}T${clockOf(event.start)}`;
  ask(line, {
    date: dayOf(event.start),
    time: clockOf(event.start),
    minutes: minutesBetween(start, end) - minutesBetween(line.end, lastOf(line)),
    practitioner: board.by === "room" ? line.practitioner : column,
    room: board.by === "room" ? column : line.room,
    ...(board.by === "room" ? {} : { or_any_room: "1" }),
  }, revert);
}

async function ask(line, wish, revert = () => {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries({ seen: line.seen, ...wish })) body.set(name, value);
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const answer = await fetch(`${words.root}${line.id}/move/`, {
    method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token }, redirect: "manual",
  }).catch(() => null);
  if (!answer || answer.status >= 500) {
    revert();
    return toast("error", words.wordsOffline);
  }
  if (answer.status === 422) {
    revert();
    return refused(line, wish, await answer.json());
  }
  if (!isOurs(answer)) return revert();
  const { said, undo } = await answer.json();
  document.getElementById("refused").close();
  toast("success", said, undo);
  return refresh();
}

function refused(line, wish, { refused: said, offers, over, changed, around, reason }) {
  const dialog = document.getElementById("refused");
  dialog.querySelector("[data-refused]").textContent = said;
  const list = dialog.querySelector("[data-offer-list]");
  list.replaceChildren(...offers.map((offer) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-secondary offer";
    button.append(Object.assign(document.createElement("strong"), { textContent: offer.time }), span("", `${spoken.format(new Date(`${offer.day}T12:00`))} · ${offer.who}`));
    button.addEventListener("click", () => ask(line, { ...wish, offer: offer.value }));
    return button;
  }));
  dialog.querySelector("[data-offers]").hidden = !offers.length;
  const form = dialog.querySelector("[data-over]");
  form.hidden = !over;
  form.reset();
  form.onsubmit = (event) => {
    event.preventDefault();
    if (form.reportValidity()) ask(line, { ...wish, over: "1", overlap_reason: form.elements.overlap_reason.value });
  };
  const course = dialog.querySelector("[data-around]");
  if (course) {
    course.hidden = !around;
    course.querySelector("a").href = `${course.dataset.around.replace("/0/", `/${line.id}/`)}?to=${encodeURIComponent(around)}`;
  }
  const gap = dialog.querySelector("[data-gap]");
  gap.hidden = !reason;
  gap.reset();
  gap.onsubmit = (event) => {
    event.preventDefault();
    if (gap.reportValidity()) ask(line, { ...wish, gap_reason: gap.elements.gap_reason.value });
  };
  if (!dialog.open) dialog.showModal();
  if (changed) refresh();
}

function toast(level, text, undo = "") {
  const note = document.querySelector(`template[data-toast=${level}]`).content.firstElementChild.cloneNode(true);
  note.querySelector("p").textContent = text;
  const form = note.querySelector("form");
  if (form && undo) form.elements.undo.value = undo;
  else form?.remove();
  for (const old of document.querySelectorAll(".toasts [data-brief]")) old.remove();
  document.querySelector(".toasts").append(note);
  if (note.dataset.brief) goSoon(note);
  announce(text);
}

// ---- opening, booking, blocking ---------------------------------------------------------------

function openVisit(line) {
  const here = encodeURIComponent(location.pathname + location.search);
  const dialog = document.getElementById("visit");
  htmx.ajax("GET", `${words.root}${line.id}/?next=${here}`, { target: "[data-visit]", swap: "innerHTML" }).then(() => {
    if (!dialog.open && dialog.querySelector("h2")) dialog.showModal();
  });
}

function wishOf(date, time, resource) {
  const column = resource ? { [board.by === "room" ? "room" : "practitioner"]: resource.id } : who?.value ? { practitioner: who.value } : {};
  return { date, time, ...column };
}

function clicked({ dateStr, resource }) {
  const time = dateStr.slice(0, 16);
  const chosen = String(resource?.id ?? who?.value ?? "");
  const covers = ([, start, end, column, , , here]) => here && start <= time && time < end && (column === null || String(column) === chosen);
  const block = board.blocks.find(covers);
  if (block) location.assign(`${words.block}${block[0]}/`);
  else location.assign(`${words.find}?${new URLSearchParams({ for: "book", ...wishOf(time.slice(0, 10), time.slice(11), resource) })}`);
}

function selected({ start, end, resource }) {
  const wish = wishOf(dayOf(start), clockOf(start), resource);
  const dialog = document.getElementById("selected");
  const column = resource?.title ?? "";
  dialog.querySelector("[data-selected]").textContent = `${spoken.format(start)}, ${clockOf(start)}–${clockOf(end)}${column && ` · ${column}`}`;
  dialog.querySelector("[data-selected-book]").href = `${words.find}?${new URLSearchParams({ for: "book", ...wish })}`;
  const { time, ...rest } = wish;
  dialog.querySelector("[data-selected-block]").href = `${words.block}?${new URLSearchParams({ ...rest, starts: time, ends: clockOf(end) })}`;
  dialog.showModal();
  dialog.addEventListener("close", () => calendar.unselect(), { once: true });
}

// ---- on paper: a table for each column --------------------------------------------------------

function row(kind, cells) {
  const made = document.createElement("tr");
  made.append(...cells.map((cell) => {
    const one = document.createElement(kind);
    one.append(cell);
    return one;
  }));
  return made;
}

function sheet([id, title]) {
  const byRoom = board.by === "room";
  const section = document.createElement("section");
  section.append(Object.assign(document.createElement("h2"), { textContent: title }));
  const mine = [...lines.values()].filter((line) => (byRoom ? line.room : line.practitioner) === id);
  if (!mine.length) {
    section.append(Object.assign(document.createElement("p"), { textContent: words.wordsEmpty }));
    return section;
  }
  const table = document.createElement("table");
  table.append(document.createElement("thead"), document.createElement("tbody"));
  table.className = "rows";
  table.tHead.append(row("th", [words.wordsTime, words.wordsPatient, words.wordsWhat, byRoom ? words.wordsWith : words.wordsRoom, words.wordsStatus]));
  for (const line of mine) {
    const name = span("", line.name);
    name.dataset.name = line.initials;
    const time = `${isWeek ? `${line.start.slice(8, 10)}/${line.start.slice(5, 7)} ` : ""}${line.start.slice(11)}–${line.end.slice(11)}`;
    table.tBodies[0].append(row("td", [time, name, line.service, byRoom ? line.with : line.where, board.looks[line.status][2]]));
  }
  section.append(table);
  return section;
}
addEventListener("beforeprint", () => document.querySelector("[data-print-day]").replaceChildren(...board.columns.map(sheet)));
addEventListener("afterprint", () => document.querySelector("[data-print-day]").replaceChildren());
