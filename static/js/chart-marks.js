// Drawing on the charts of a note: lines, outlines and pins, with a list beside that edits the same
// marks without a pointer. Points are fractions of the chart. Each mark has a key of its own, so
// that sending it twice keeps one.
const SVG = "http://www.w3.org/2000/svg";
const LEAST_STEP = 0.004;
const MOST_POINTS = 600;
const MOST_PAST = 50;

export function startDrawing(home, { changed, announce, words, areaName }) {
  const box = home.querySelector("[name=marks]");
  const known = home.querySelector("[name=marks_known]");
  const sheet = home.querySelector("[data-sheet]");
  const list = home.querySelector("[data-mark-list]");
  const undo = home.querySelector("[data-undo-mark]");
  const pinAt = home.querySelector("[data-pin-at]");
  const choices = [...home.querySelectorAll("[data-chart-choice]")];
  const loaded = new Map();
  const past = [];
  let marks = JSON.parse(box.value || "[]");
  let chart = null;
  let tool = "line";
  let stroke = null;

  home.hidden = false;
  box.disabled = known.disabled = false;

  function remember() {
    past.push(JSON.stringify(marks));
    if (past.length > MOST_PAST) past.shift();
    undo.disabled = false;
  }

  function store() {
    box.value = JSON.stringify(marks);
    show();
    changed();
  }

  function add(kind, points, text = "") {
    remember();
    const sign = home.querySelector("[data-sign]").value;
    marks.push({ key: crypto.randomUUID?.() ?? uuid(), chart: chart.code, kind, sign, words: text, points });
    store();
    announce(`${words.wordsMarked} ${marks.length}`);
  }

  function uuid() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // --- the chart ------------------------------------------------------------------------------

  async function open(code) {
    const choice = choices.find((one) => one.dataset.chartChoice === code) ?? choices[0];
    for (const one of choices) one.setAttribute("aria-pressed", String(one === choice));
    const missing = home.querySelector("[data-chart-missing]");
    let drawn = loaded.get(choice.dataset.chartChoice);
    if (!drawn) {
      drawn = await fetchChart(choice.dataset.src);
      if (drawn) loaded.set(choice.dataset.chartChoice, drawn);
    }
    missing.hidden = Boolean(drawn);
    sheet.querySelector(".draw-stack")?.remove();
    chart = null;
    if (!drawn) return;
    chart = { code: choice.dataset.chartChoice, width: Number(choice.dataset.width), height: Number(choice.dataset.height) };
    const stack = Object.assign(document.createElement("div"), { className: chart.height > 1.6 * chart.width ? "draw-stack draw-tall" : "draw-stack" });
    chart.over = make("svg", { class: "draw-over", viewBox: `0 0 ${chart.width} ${chart.height}`, "aria-hidden": "true", focusable: "false" });
    stack.append(drawn, chart.over);
    sheet.append(stack);
    listen(chart.over);
    offerPlaces(drawn);
    show();
  }

  async function fetchChart(address) {
    try {
      const answer = await fetch(address);
      if (!answer.ok) return null;
      const text = (await answer.text())
        .replaceAll(">L</text>", `>${sheet.dataset.left}</text>`)
        .replaceAll(">R</text>", `>${sheet.dataset.right}</text>`);
      return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
    } catch {
      return null;
    }
  }

  // Where a pin can be put without a pointer: the middle of each region of this chart.
  function offerPlaces(drawn) {
    pinAt.replaceChildren(new Option("—", ""));
    for (const region of drawn.querySelectorAll(".region")) {
      const { area, side } = region.dataset;
      const place = region.getBBox();
      const middle = [(place.x + place.width / 2) / chart.width, (place.y + place.height / 2) / chart.height];
      pinAt.add(new Option(areaName(area, side), JSON.stringify(middle.map(rounded))));
    }
  }

  function make(kind, values) {
    const node = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(values)) node.setAttribute(name, value);
    return node;
  }

  function figure(mark, number) {
    const group = make("g", { class: "mark" });
    const places = mark.points.map(([x, y]) => [x * chart.width, y * chart.height]);
    const path = places.map((place) => place.map((n) => n.toFixed(1)).join(",")).join(" ");
    if (mark.kind === "line") group.append(make("polyline", { points: path }));
    if (mark.kind === "outline") group.append(make("polygon", { points: path }));
    if (number) {
      const size = chart.width / 40;
      const [x, y] = places[0];
      const label = make("text", { x, y, dy: "0.35em", "font-size": size });
      label.textContent = number;
      group.append(make("circle", { cx: x, cy: y, r: size }), label);
    }
    return group;
  }

  function show() {
    showList();
    if (!chart) return;
    chart.over.replaceChildren(...marks.flatMap((mark, index) => (mark.chart === chart.code ? [figure(mark, index + 1)] : [])));
    if (stroke) chart.over.append(figure({ kind: stroke.kind, points: stroke.points }, 0));
  }

  // --- the pointer ----------------------------------------------------------------------------

  const rounded = (share) => Number(Math.min(1, Math.max(0, share)).toFixed(4));

  function place(event) {
    const frame = chart.over.getBoundingClientRect();
    return [rounded((event.clientX - frame.left) / frame.width), rounded((event.clientY - frame.top) / frame.height)];
  }

  function listen(over) {
    over.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      event.preventDefault();
      over.setPointerCapture(event.pointerId);
      stroke = { kind: tool, points: [place(event)] };
    });
    over.addEventListener("pointermove", (event) => {
      if (!stroke || tool === "pin" || !event.isPrimary) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) follow(place(one));
      show();
    });
    over.addEventListener("pointerup", finish);
    over.addEventListener("pointercancel", finish);
  }

  function follow(point) {
    const last = stroke.points.at(-1);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < LEAST_STEP) return;
    stroke.points.push(point);
    if (stroke.points.length >= MOST_POINTS) stroke.points = stroke.points.filter((_point, index) => index % 2 === 0);
  }

  // A tap is a pin, whatever the tool; so is an outline that encloses nothing.
  function finish() {
    if (!stroke) return;
    const { kind, points } = stroke;
    stroke = null;
    const fewest = { pin: 1, line: 2, outline: 3 }[kind];
    add(points.length < fewest ? "pin" : kind, points.length < fewest ? points.slice(0, 1) : points);
  }

  // --- the list -------------------------------------------------------------------------------

  function showList() {
    home.querySelector("[data-no-marks]").hidden = marks.length > 0;
    const rows = new Map([...list.children].map((row) => [row.dataset.key, row]));
    marks.forEach((mark, index) => {
      const row = rows.get(mark.key) ?? newRow(mark);
      rows.delete(mark.key);
      row.querySelector("[data-title]").textContent = title(mark, index);
      const [sign, text] = [row.querySelector("select"), row.querySelector("input")];
      if (sign !== document.activeElement) sign.value = mark.sign;
      if (text !== document.activeElement) text.value = mark.words;
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    });
    for (const gone of rows.values()) gone.remove();
  }

  function title(mark, index) {
    const choice = choices.find((one) => one.dataset.chartChoice === mark.chart);
    return `${words.wordsMark.replace("{number}", index + 1)} · ${choice?.textContent ?? ""}`;
  }

  function newRow(mark) {
    const row = document.createElement("li");
    row.dataset.key = mark.key;
    const head = Object.assign(document.createElement("span"), { className: "draw-title" });
    head.dataset.title = "";
    const sign = home.querySelector("[data-sign]").cloneNode(true);
    sign.removeAttribute("id");
    sign.removeAttribute("data-sign");
    sign.ariaLabel = words.wordsWhat;
    const text = Object.assign(document.createElement("input"), { className: "form-control", type: "text", maxLength: 200, autocomplete: "off", ariaLabel: words.wordsInWords, placeholder: words.wordsInWords });
    const away = Object.assign(document.createElement("button"), { className: "btn btn-quiet", type: "button", textContent: words.wordsRemove });
    sign.addEventListener("change", () => edit(mark.key, { sign: sign.value }));
    text.addEventListener("input", () => edit(mark.key, { words: text.value }));
    away.addEventListener("click", () => {
      remember();
      marks = marks.filter((one) => one.key !== mark.key);
      store();
      announce(words.wordsRemoved);
      home.querySelector("[data-add-pin]").focus();
    });
    row.append(head, sign, text, away);
    return row;
  }

  function edit(key, values) {
    Object.assign(marks.find((one) => one.key === key), values);
    box.value = JSON.stringify(marks);
    changed();
  }

  // --- buttons --------------------------------------------------------------------------------

  home.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.chartChoice) open(button.dataset.chartChoice);
    if (button.dataset.tool) {
      tool = button.dataset.tool;
      for (const one of home.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one === button));
    }
    if (button === undo && past.length) {
      marks = JSON.parse(past.pop());
      undo.disabled = past.length === 0;
      store();
    }
    if (button.matches("[data-add-pin]") && chart) add("pin", [pinAt.value ? JSON.parse(pinAt.value) : [0.5, 0.5]]);
  });
  addEventListener("online", () => { if (!chart) open(first()); });

  const first = () => marks[0]?.chart ?? home.dataset.first;
  show();
  open(first());

  return {
    text: () => box.value || "[]",
    keys: () => marks.map((mark) => mark.key).join(","),
    // What a page that is gone had drawn and taken away, put into what is here.
    restore(theirs, theyKnew) {
      const gone = new Set(theyKnew.filter((key) => !theirs.some((mark) => mark.key === key)));
      const here = new Map(marks.filter((mark) => !gone.has(mark.key)).map((mark) => [mark.key, mark]));
      for (const mark of theirs) here.set(mark.key, mark);
      marks = [...here.values()];
      box.value = JSON.stringify(marks);
      show();
    },
  };
}
