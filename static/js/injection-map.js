// The injection map: tapping an area places a point, tapping a point takes it away. The points live
// in the list beside the chart, which is the form; the chart only shows them.

const SVG = "http://www.w3.org/2000/svg";

export function startMap(form, { changed, press, announce, words }) {
  const home = form.querySelector("[data-map]");
  const undo = home.querySelector("[data-undo]");
  const past = [];
  home.dataset.live = "";
  undo.hidden = false;
  home.querySelector("[data-tap-help]").hidden = false;

  const rows = () => [...home.querySelectorAll("[data-row]")];
  const box = (row) => row.querySelector("[data-points]");
  const read = (row) => {
    try {
      return JSON.parse(box(row).value || "[]");
    } catch {
      return [];
    }
  };
  const shot = () => JSON.stringify(rows().map((row) => [row.dataset.area, row.dataset.side, box(row).value]));

  function remember() {
    past.push(shot());
    if (past.length > 50) past.shift();
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
    for (const row of rows()) {
      const points = read(row);
      const each = Number((row.querySelector("[name$=ml_per_point]").value || "0").replace(",", "."));
      const more = Number((row.querySelector("[name$=extra_ml]").value || "0").replace(",", "."));
      row.querySelector("[data-count]").textContent = points.length;
      const ml = points.length * each + more;
      row.querySelector("[data-ml]").textContent = Number.isFinite(ml) ? `${Number(ml.toFixed(2))} mL` : "";
    }
  }

  function draw(chart) {
    const { width, height, size } = chart.dataset;
    const place = chart.querySelector("[data-marks]");
    place.replaceChildren();
    for (const row of rows()) {
      if (row.dataset.on !== chart.dataset.chart) continue;
      const group = document.createElementNS(SVG, "g");
      group.setAttribute("class", `imap-marks mark-${row.dataset.shape}`);
      read(row).forEach(([x, y], number) => {
        const mark = document.createElementNS(SVG, "use");
        mark.setAttribute("href", `#mark-${row.dataset.shape}`);
        mark.setAttribute("x", x * width - size / 2);
        mark.setAttribute("y", y * height - size / 2);
        mark.setAttribute("width", size);
        mark.setAttribute("height", size);
        mark.dataset.number = number;
        mark.dataset.of = keyOf(row);
        group.append(mark);
      });
      place.append(group);
    }
    const used = new Set(rows().filter((row) => row.dataset.on === chart.dataset.chart).flatMap(reach));
    for (const region of chart.querySelectorAll(".imap-region")) {
      region.classList.toggle("is-used", used.has(`${region.dataset.area}:${region.dataset.side}`));
    }
  }

  const keyOf = (row) => `${row.dataset.area}:${row.dataset.side}`;
  const reach = (row) => (row.dataset.side === "both" ? ["left", "right"] : [row.dataset.side, "none"]).map((side) => `${row.dataset.area}:${side}`);

  function rowFor(area, side) {
    return rows().find((row) => row.dataset.area === area && (row.dataset.side === side || (row.dataset.side === "both" && side !== "none") || side === "none"));
  }

  function placeOf(chart, event) {
    const frame = chart.querySelector(".imap-over").getBoundingClientRect();
    const share = (value) => Number(Math.min(1, Math.max(0, value)).toFixed(5));
    return [share((event.clientX - frame.left) / frame.width), share((event.clientY - frame.top) / frame.height)];
  }

  home.addEventListener("click", (event) => {
    const chart = event.target.closest(".imap-chart");
    const mark = event.target.closest(".imap-marks use");
    if (chart && mark) return takeAway(mark);
    const region = event.target.closest(".imap-region");
    return chart && region ? putDown(chart, region, event) : undefined;
  });

  function takeAway(mark) {
    const row = rows().find((one) => keyOf(one) === mark.dataset.of);
    if (!row) return;
    remember();
    write(row, read(row).filter((_point, number) => number !== Number(mark.dataset.number)));
  }

  function putDown(chart, region, event) {
    const { area, side } = region.dataset;
    const point = placeOf(chart, event);
    const row = rowFor(area, side);
    if (!row) {
      press("add", { new_area: `${area}:${side}`, new_at: `${chart.dataset.chart}:${JSON.stringify([point])}` });
      return;
    }
    if (row.dataset.on !== chart.dataset.chart) {
      announce(words.wordsElsewhere);
      return;
    }
    remember();
    write(row, [...read(row), point]);
  }

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

  home.addEventListener("input", show);
  home.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) choose(row);
  });
  show();
  return { refresh: show, remember };
}
