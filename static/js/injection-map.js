// The injection map: points by tap, by drag, along a line or a fan; rubbed out; near or far. The
// points live in the list beside the chart, which is the form; the chart only shows them.
// While a point is dragged only its own mark moves: a map of 500 points stays fluid.

const SVG = "http://www.w3.org/2000/svg";
const SLOP_PX = { mouse: 4, touch: 12, pen: 8 };
const FAN_RAYS = 5;
const FAN_HALF_ANGLE = Math.PI / 6;
const NEAREST = 1;
const FARTHEST = 8;
const REMEMBERED = 50;

export function startMap(form, { changed, press, announce, words }) {
  const home = form.querySelector("[data-map]");
  const undo = home.querySelector("[data-undo]");
  const live = home.querySelector("[data-live-totals]");
  const past = [];
  const views = new Map();
  let tool = "point";
  let drag = null;
  home.dataset.live = "";
  undo.hidden = false;
  live.hidden = false;
  home.querySelector("[data-tools]").hidden = false;
  home.querySelector("[data-tap-help]").hidden = false;

  const rows = () => [...home.querySelectorAll("[data-row]")];
  const box = (row) => row.querySelector("[data-points]");
  const number = (text) => Number(String(text ?? "").replace(",", ".")) || 0;
  const valueOf = (row, name) => number(row.querySelector(`[name$=${name}]`)?.value);
  const parse = (field) => {
    try {
      return JSON.parse(field?.value || "[]");
    } catch {
      return [];
    }
  };
  const read = (row) => parse(box(row));
  const meant = (row) => parse(row.querySelector("[data-intended]"));
  const shot = () => JSON.stringify(rows().map((row) => [row.dataset.area, row.dataset.side, box(row).value]));
  const chosen = () => rows().find((row) => row.classList.contains("is-chosen"));

  function remember() {
    past.push(shot());
    if (past.length > REMEMBERED) past.shift();
    undo.disabled = false;
  }

  function write(row, points) {
    box(row).value = JSON.stringify(points);
    show();
    choose(row);
    changed();
  }

  function choose(row) {
    for (const other of rows()) other.classList.toggle("is-chosen", other === row);
  }

  // Draw every row's points on its chart, and count them beside it.
  function show() {
    for (const chart of home.querySelectorAll(".imap-chart")) draw(chart);
    count();
  }

  function draw(chart) {
    const ghosts = [];
    const groups = [];
    for (const row of rows()) {
      if (row.dataset.on !== chart.dataset.chart) continue;
      const points = read(row);
      groups.push(group(chart, row, points));
      const done = new Set(points.map(String));
      ghosts.push(...meant(row).filter((point) => !done.has(String(point))).map((point) => ghost(chart, point)));
    }
    chart.querySelector("[data-marks]").replaceChildren(...groups);
    chart.querySelector("[data-ghosts]").replaceChildren(...ghosts);
    const used = new Set(rows().filter((row) => row.dataset.on === chart.dataset.chart).flatMap(reach));
    for (const region of chart.querySelectorAll(".imap-region")) {
      region.classList.toggle("is-used", used.has(`${region.dataset.area}:${region.dataset.side}`));
    }
  }

  function group(chart, row, points) {
    const made = document.createElementNS(SVG, "g");
    made.setAttribute("class", `imap-marks mark-${row.dataset.shape}`);
    points.forEach((point, place) => {
      const mark = document.createElementNS(SVG, "use");
      mark.setAttribute("href", `#mark-${row.dataset.shape}`);
      mark.setAttribute("width", chart.dataset.size);
      mark.setAttribute("height", chart.dataset.size);
      put(chart, mark, point);
      mark.dataset.number = place;
      mark.dataset.of = keyOf(row);
      made.append(mark);
    });
    return made;
  }

  function put(chart, mark, [x, y]) {
    const { width, height, size } = chart.dataset;
    mark.setAttribute("x", x * width - size / 2);
    mark.setAttribute("y", y * height - size / 2);
  }

  function ghost(chart, [x, y]) {
    const made = document.createElementNS(SVG, "circle");
    made.setAttribute("class", "imap-meant");
    made.setAttribute("cx", x * chart.dataset.width);
    made.setAttribute("cy", y * chart.dataset.height);
    made.setAttribute("r", chart.dataset.size / 2);
    return made;
  }

  // -- figures, while they change -------------------------------------------------------------

  function bench() {
    return [...document.querySelectorAll("[data-part=bench] [data-syringe]")].map((line) => ({
      label: line.dataset.syringe,
      drawn: number(line.dataset.drawn),
      held: [...line.querySelectorAll("[data-held]")].map(({ dataset }) => ({ ...dataset, per: number(dataset.perMl) })),
    }));
  }

  function sourceOf(row, tray) {
    const said = row.querySelector("[name$=-syringe]")?.value;
    const filled = tray.filter((one) => one.drawn > 0);
    return tray.find((one) => one.label === said) ?? (filled.length === 1 ? filled[0] : undefined);
  }

  const mlOf = (row) => read(row).length * valueOf(row, "ml_per_point") + valueOf(row, "extra_ml");
  const shown = (value, digits = 2) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits, useGrouping: false });

  function count() {
    const tray = bench();
    const given = new Map(tray.map((one) => [one.label, 0]));
    for (const row of rows()) {
      const ml = mlOf(row);
      const source = sourceOf(row, tray);
      if (source) given.set(source.label, given.get(source.label) + ml);
      row.querySelector("[data-count]").textContent = read(row).length;
      row.querySelector("[data-ml]").textContent = Number.isFinite(ml) ? `${shown(ml)} mL` : "";
      row.querySelector("[data-amounts]").textContent = (source?.held ?? []).map((one) => `${one.name} ${shown(one.per * ml, 3)} ${one.unit}`).join(", ");
      about(row);
    }
    live.replaceChildren(...tray.filter((one) => one.drawn > 0 || given.get(one.label) > 0).map((one) => meter(words.wordsSyringe.replace("{label}", one.label), given.get(one.label), one.drawn, "mL", `live-${one.label}`)), ...lidocaine(tray, given), ...face(), ...labels(tray));
  }

  // What a grid at this spacing would come to, from the area's own size.
  function about(row) {
    const place = row.querySelector("[data-about]");
    const spacing = valueOf(row, "spacing_mm") / 10;
    const points = spacing > 0 && row.dataset.cm2 ? Math.round(number(row.dataset.cm2) / spacing ** 2) : 0;
    place.textContent = points ? words.wordsAbout.replace("{count}", points).replace("{ml}", shown(points * valueOf(row, "ml_per_point"))) : "";
  }

  function lidocaine(tray, given) {
    const { topical, limit } = document.querySelector("[data-part=totals]").dataset;
    if (limit === undefined) return [];
    const needle = tray.reduce((sum, one) => sum + Math.min(given.get(one.label), one.drawn) * (one.held.find((held) => held.held === "lidocaine")?.per ?? 0), 0);
    const total = needle + number(topical);
    return total > 0 ? [meter(words.wordsLidocaine, total, number(limit), "mg", "live-lidocaine")] : [];
  }

  const sum = (found, of) => found.reduce((total, row) => total + of(row), 0);

  function face() {
    const ml = sum(rows().filter((row) => "face" in row.dataset), mlOf);
    return ml > 0 ? [meter(words.wordsFace, ml, number(document.querySelector("[data-part=totals]").dataset.faceMl), "mL", "live-face")] : [];
  }

  // What a label allows of a substance, against what is given from the syringes that hold it.
  function labels(tray) {
    return [...document.querySelectorAll("[data-label-limit]")].flatMap(({ dataset }, place) => {
      const own = rows().filter((row) => dataset.in.split(" ").includes(sourceOf(row, tray)?.label));
      const found = [];
      if (dataset.maxMl) found.push(meter(dataset.name, sum(own, mlOf), number(dataset.maxMl), "mL", `live-ml-${place}`));
      if (dataset.maxPoints) found.push(meter(dataset.name, sum(own, (row) => read(row).length), number(dataset.maxPoints), words.wordsPoints, `live-points-${place}`));
      return found;
    });
  }

  function meter(name, value, most, unit, id) {
    const line = document.createElement("p");
    line.className = "imap-meter";
    if (value > most + 0.01) line.classList.add("is-over");
    const label = Object.assign(document.createElement("span"), { textContent: name, id });
    const bar = document.createElement("meter");
    bar.setAttribute("aria-labelledby", id);
    bar.min = 0;
    bar.max = most || 1;
    bar.high = most || 1;
    bar.value = value;
    const figures = Object.assign(document.createElement("strong"), { textContent: words.wordsOf.replace("{got}", shown(value)).replace("{all}", shown(most)).replace("{unit}", unit) });
    line.append(label, bar, figures);
    return line;
  }

  // -- where things are -----------------------------------------------------------------------

  const keyOf = (row) => `${row.dataset.area}:${row.dataset.side}`;
  const reach = (row) => (row.dataset.side === "both" ? ["left", "right"] : [row.dataset.side, "none"]).map((side) => `${row.dataset.area}:${side}`);

  function rowFor(area, side) {
    return rows().find((row) => row.dataset.area === area && (row.dataset.side === side || (row.dataset.side === "both" && side !== "none") || side === "none"));
  }

  const share = (value) => Number(Math.min(1, Math.max(0, value)).toFixed(5));

  // A place on the chart as fractions of it, however near it is looked at.
  function placeOf(chart, event) {
    const over = chart.querySelector(".imap-over");
    const frame = over.getBoundingClientRect();
    const { x, y, k } = viewOf(chart);
    const { width, height } = chart.dataset;
    return [share((x + ((event.clientX - frame.left) / frame.width) * (width / k)) / width), share((y + ((event.clientY - frame.top) / frame.height) * (height / k)) / height)];
  }

  function inside(chart, row, [x, y]) {
    const wanted = new Set(reach(row));
    const point = new DOMPoint(x * chart.dataset.width, y * chart.dataset.height);
    return [...chart.querySelectorAll(".imap-region")].some((region) => wanted.has(`${region.dataset.area}:${region.dataset.side}`) && region.isPointInFill(point));
  }

  // Several areas may lie under a finger: the chosen row goes first.
  function rowAt(chart, event) {
    const under = event.target.closest(".imap-region");
    const row = chosen();
    if (row && row.dataset.on === chart.dataset.chart && inside(chart, row, placeOf(chart, event))) return row;
    return under ? rowFor(under.dataset.area, under.dataset.side) : undefined;
  }

  // A line or a fan may begin outside: it is of the chosen area all the same.
  function strokeRow(chart) {
    const row = chosen();
    return (tool === "line" || tool === "fan") && row?.dataset.on === chart.dataset.chart ? row : undefined;
  }

  // -- near and far ---------------------------------------------------------------------------

  function viewOf(chart) {
    return views.get(chart.dataset.chart) ?? { x: 0, y: 0, k: NEAREST };
  }

  function look(chart, view) {
    const { width, height } = chart.dataset;
    const k = Math.min(FARTHEST, Math.max(NEAREST, view.k));
    const x = Math.min(width - width / k, Math.max(0, view.x));
    const y = Math.min(height - height / k, Math.max(0, view.y));
    views.set(chart.dataset.chart, { x, y, k });
    for (const drawing of chart.querySelectorAll(".imap-stack > svg")) drawing.setAttribute("viewBox", `${x} ${y} ${width / k} ${height / k}`);
    chart.classList.toggle("is-near", k > 1.01);
  }

  function zoom(chart, by, at) {
    const { width, height } = chart.dataset;
    const { x, y, k } = viewOf(chart);
    const [fx, fy] = at ?? [(x + width / k / 2) / width, (y + height / k / 2) / height];
    const next = Math.min(FARTHEST, Math.max(NEAREST, k * by));
    look(chart, { k: next, x: fx * width - ((fx * width - x) * k) / next, y: fy * height - ((fy * height - y) * k) / next });
  }

  // Fill the chart with an area: the chosen one, else all that are treated on it.
  function lookAt(chart) {
    const row = chosen();
    const wanted = new Set((row?.dataset.on === chart.dataset.chart ? [row] : rows().filter((one) => one.dataset.on === chart.dataset.chart)).flatMap(reach));
    const boxes = [...chart.querySelectorAll(".imap-region")].filter((region) => wanted.has(`${region.dataset.area}:${region.dataset.side}`)).map((region) => region.getBBox());
    if (!boxes.length) return;
    const { width, height } = chart.dataset;
    const [left, top] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
    const wide = Math.max(...boxes.map((box) => box.x + box.width)) - left;
    const high = Math.max(...boxes.map((box) => box.y + box.height)) - top;
    const k = Math.min(FARTHEST, Math.max(NEAREST, 0.85 * Math.min(width / wide, height / high)));
    look(chart, { k, x: left + wide / 2 - width / k / 2, y: top + high / 2 - height / k / 2 });
  }

  // -- fingers --------------------------------------------------------------------------------

  const fingers = new Map();

  home.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest(".imap-chart");
    if (!chart || event.button > 0 || !event.target.closest(".imap-over")) return;
    fingers.set(event.pointerId, event);
    if (fingers.size > 1) return giveUp();
    const mark = event.target.closest(".imap-marks use");
    const row = mark ? rows().find((one) => keyOf(one) === mark.dataset.of) : rowAt(chart, event) ?? strokeRow(chart);
    drag = { chart, mark, row, from: event, at: placeOf(chart, event), view: viewOf(chart), moved: false, tool: mark && tool !== "erase" && tool !== "pan" ? "move" : tool, rubbed: new Set() };
    if (drag.tool !== "point") event.preventDefault();
    if (event.isTrusted) chart.querySelector(".imap-over").setPointerCapture(event.pointerId);
    if (drag.tool === "erase") rub(event);
  });

  home.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    if (fingers.size === 2) return pinch(event);
    fingers.set(event.pointerId, event);
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.from.clientX, event.clientY - drag.from.clientY) < (SLOP_PX[event.pointerType] ?? SLOP_PX.touch)) return;
    drag.moved = true;
    drag.last = event;
    drag.waiting ??= requestAnimationFrame(follow);
  });

  function follow() {
    if (!drag) return;
    drag.waiting = undefined;
    const { chart, last } = drag;
    if (drag.tool === "move") carry(last);
    else if (drag.tool === "erase") rub(last);
    else if (drag.tool === "pan" || drag.tool === "point") slide(last);
    else stroke(last);
  }

  home.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    const done = drag;
    drag = null;
    if (!done) return;
    cancelAnimationFrame(done.waiting);
    putAway(done);
    if (done.tool === "move" && done.moved) drop(done, placeOf(done.chart, event));
    else if (done.tool === "move") takeAway(done.mark);
    else if (done.tool === "erase") erased(done);
    else if ((done.tool === "line" || done.tool === "fan") && done.moved) along(done, placeOf(done.chart, event));
    else if (!done.moved && done.tool !== "pan") putDown(done);
  });

  home.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    giveUp();
  });

  function giveUp() {
    if (!drag) return;
    cancelAnimationFrame(drag.waiting);
    putAway(drag);
    drag = null;
    show();
  }

  function pinch(event) {
    const [one, other] = [...fingers.values()];
    const before = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    fingers.set(event.pointerId, event);
    const [a, b] = [...fingers.values()];
    const after = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const chart = event.target.closest(".imap-chart");
    if (!chart || !before) return;
    const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
    zoom(chart, after / before, placeOf(chart, middle));
  }

  function slide(event) {
    const { chart, view, from } = drag;
    const frame = chart.querySelector(".imap-over").getBoundingClientRect();
    if (view.k <= 1) return;
    look(chart, { k: view.k, x: view.x - ((event.clientX - from.clientX) / frame.width) * (chart.dataset.width / view.k), y: view.y - ((event.clientY - from.clientY) / frame.height) * (chart.dataset.height / view.k) });
  }

  // The dragged mark rides on a layer of its own, so that the others need not be painted again.
  function carry(event) {
    if (!drag.carried) {
      const frame = drag.mark.getBoundingClientRect();
      const made = document.createElementNS(SVG, "svg");
      made.setAttribute("class", `imap-carried imap-marks ${drag.mark.parentNode.getAttribute("class")}`);
      made.setAttribute("viewBox", "0 0 10 10");
      made.setAttribute("aria-hidden", "true");
      const copy = document.createElementNS(SVG, "use");
      copy.setAttribute("href", drag.mark.getAttribute("href"));
      copy.setAttribute("width", 10);
      copy.setAttribute("height", 10);
      made.append(copy);
      const stack = drag.chart.querySelector(".imap-stack");
      const ground = stack.getBoundingClientRect();
      Object.assign(made.style, { width: `${frame.width}px`, height: `${frame.height}px`, left: `${frame.x - ground.x - stack.clientLeft}px`, top: `${frame.y - ground.y - stack.clientTop}px` });
      stack.append(made);
      drag.mark.classList.add("is-carried");
      drag.carried = made;
    }
    drag.carried.style.transform = `translate(${event.clientX - drag.from.clientX}px, ${event.clientY - drag.from.clientY}px)`;
  }

  function putAway(done) {
    done.chart.querySelector("[data-guide]")?.remove();
    done.carried?.remove();
    done.mark?.classList.remove("is-carried");
  }

  function takeAway(mark) {
    const row = rows().find((one) => keyOf(one) === mark.dataset.of);
    if (!row) return;
    remember();
    write(row, read(row).filter((_point, place) => place !== Number(mark.dataset.number)));
  }

  function drop({ chart, mark, row }, point) {
    if (!row || !inside(chart, row, point)) {
      show();
      announce(words.wordsOutside);
      return;
    }
    remember();
    write(row, read(row).map((old, place) => (place === Number(mark.dataset.number) ? point : old)));
  }

  function putDown({ chart, row, from, at }) {
    const region = from.target.closest(".imap-region");
    if (!row && !region) return;
    if (!row) {
      const { area, side } = region.dataset;
      press("add", { new_area: `${area}:${side}`, new_at: `${chart.dataset.chart}:${JSON.stringify([at])}` });
      return;
    }
    if (row.dataset.on !== chart.dataset.chart) {
      announce(words.wordsElsewhere);
      return;
    }
    remember();
    write(row, [...read(row), at]);
  }

  // Rubbed marks fade at once and are taken out of the list when the finger leaves.
  function rub(event) {
    for (const found of document.elementsFromPoint(event.clientX, event.clientY)) {
      const mark = found.closest?.(".imap-marks use");
      if (!mark || drag.rubbed.has(mark)) continue;
      drag.rubbed.add(mark);
      mark.classList.add("is-rubbed");
    }
  }

  function erased({ rubbed }) {
    if (!rubbed.size) return;
    remember();
    for (const row of rows()) {
      const gone = new Set([...rubbed].filter((mark) => mark.dataset.of === keyOf(row)).map((mark) => Number(mark.dataset.number)));
      if (gone.size) box(row).value = JSON.stringify(read(row).filter((_point, place) => !gone.has(place)));
    }
    show();
    changed();
  }

  // -- lines and fans -------------------------------------------------------------------------

  function ends({ chart, at, tool: kind }, to) {
    const { width, height } = chart.dataset;
    const [ax, ay] = [at[0] * width, at[1] * height];
    const [bx, by] = [to[0] * width, to[1] * height];
    if (kind === "line") return [[ax, ay, bx, by]];
    const length = Math.hypot(bx - ax, by - ay);
    const middle = Math.atan2(by - ay, bx - ax);
    return Array.from({ length: FAN_RAYS }, (_one, ray) => {
      const angle = middle - FAN_HALF_ANGLE + (2 * FAN_HALF_ANGLE * ray) / (FAN_RAYS - 1);
      return [ax, ay, ax + length * Math.cos(angle), ay + length * Math.sin(angle)];
    });
  }

  function stroke(event) {
    const { chart } = drag;
    let guide = chart.querySelector("[data-guide]");
    if (!guide) {
      guide = document.createElementNS(SVG, "path");
      guide.dataset.guide = "";
      guide.setAttribute("class", "imap-guide");
      chart.querySelector(".imap-over").append(guide);
    }
    guide.setAttribute("d", ends(drag, placeOf(chart, event)).map(([ax, ay, bx, by]) => `M${ax} ${ay}L${bx} ${by}`).join(""));
  }

  // Points along each line at the row's own spacing, one mm per unit of the chart's scale.
  function along(done, to) {
    const { chart, row } = done;
    if (!row || row.dataset.on !== chart.dataset.chart) {
      announce(words.wordsChosen);
      return;
    }
    const { width, height, mm } = chart.dataset;
    const step = Math.max(0.5, valueOf(row, "spacing_mm") || 10) / mm;
    const found = new Map();
    for (const [ax, ay, bx, by] of ends(done, to)) {
      const length = Math.hypot(bx - ax, by - ay);
      for (let at = 0; at <= length + 0.001; at += step) {
        const part = length ? at / length : 0;
        const point = [share((ax + (bx - ax) * part) / width), share((ay + (by - ay) * part) / height)];
        if (inside(chart, row, point)) found.set(String(point), point);
      }
    }
    if (!found.size) {
      announce(words.wordsOutside);
      return;
    }
    remember();
    write(row, [...read(row), ...found.values()]);
  }

  // -- buttons --------------------------------------------------------------------------------

  undo.addEventListener("click", () => {
    const before = past.pop();
    undo.disabled = past.length === 0;
    if (!before) return;
    const points = new Map(JSON.parse(before).map(([area, side, text]) => [`${area}:${side}`, text]));
    for (const row of rows()) {
      if (points.has(keyOf(row))) box(row).value = points.get(keyOf(row));
    }
    show();
    changed();
    announce(words.wordsUndone);
  });

  home.addEventListener("click", (event) => {
    const picked = event.target.closest("[data-tool]");
    if (picked) {
      tool = picked.dataset.tool;
      home.dataset.using = tool;
      for (const other of home.querySelectorAll("[data-tool]")) other.setAttribute("aria-pressed", String(other === picked));
    }
    if (event.target.closest("[data-zoom-area]")) home.querySelectorAll(".imap-chart").forEach(lookAt);
    const nearer = event.target.closest("[data-zoom]");
    if (nearer) for (const chart of home.querySelectorAll(".imap-chart")) zoom(chart, Number(nearer.dataset.zoom));
  });

  home.addEventListener("wheel", (event) => {
    const chart = event.target.closest(".imap-chart");
    if (!chart || !event.ctrlKey) return;
    event.preventDefault();
    zoom(chart, event.deltaY < 0 ? 1.2 : 1 / 1.2, placeOf(chart, event));
  }, { passive: false });

  home.addEventListener("input", count);
  home.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (row && event.target.matches("[name$=-method]")) row.querySelector("[data-current]").toggleAttribute("data-off", event.target.value !== "device");
  });
  home.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) choose(row);
  });

  function refresh() {
    for (const chart of home.querySelectorAll(".imap-chart")) look(chart, viewOf(chart));
    show();
  }
  show();
  return { refresh, remember, count };
}
