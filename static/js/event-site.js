// The point of an adverse event on a chart. Area and side say it without scripts; this adds where
// exactly. The point is kept as fractions of the chart.
const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.01;

const home = document.querySelector("[data-event-site]");
if (home) start(home.closest("form"));

function start(form) {
  const [chartBox, xBox, yBox] = ["chart", "point_x", "point_y"].map((name) => form.elements[name]);
  const sheet = home.querySelector("[data-sheet]");
  const missing = home.querySelector("[data-chart-missing]");
  const choices = [...home.querySelectorAll("[data-chart-choice]")];
  const loaded = new Map();
  let drawn = null;
  let size = null;

  home.hidden = false;

  async function open(code) {
    const choice = choices.find((one) => one.dataset.chartChoice === code) ?? choices[0];
    for (const one of choices) one.setAttribute("aria-pressed", String(one === choice));
    const { chartChoice, src, width, height } = choice.dataset;
    if (!loaded.has(chartChoice)) loaded.set(chartChoice, await load(src));
    drawn?.remove();
    drawn = loaded.get(chartChoice);
    missing.hidden = Boolean(drawn);
    size = { code: chartChoice, width: Number(width), height: Number(height) };
    if (!drawn) return;
    sheet.append(drawn);
    show();
  }

  async function load(address) {
    try {
      const answer = await fetch(address);
      if (!answer.ok) return null;
      const parsed = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
      return document.importNode(parsed.documentElement, true);
    } catch {
      return null;
    }
  }

  function show() {
    drawn.querySelector(".site-point")?.remove();
    if (chartBox.value !== size.code || xBox.value === "") return;
    const mark = document.createElementNS(SVG, "circle");
    mark.setAttribute("class", "site-point");
    mark.setAttribute("cx", Number(xBox.value) * size.width);
    mark.setAttribute("cy", Number(yBox.value) * size.height);
    mark.setAttribute("r", size.width * 0.02);
    drawn.append(mark);
  }

  function put(x, y) {
    const kept = [x, y].map((one) => Math.min(1, Math.max(0, one)).toFixed(4));
    chartBox.value = size.code;
    [xBox.value, yBox.value] = kept;
    form.dispatchEvent(new Event("input", { bubbles: true }));
    show();
  }

  sheet.addEventListener("click", (event) => {
    if (!drawn) return;
    const box = drawn.getBoundingClientRect();
    put((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });

  sheet.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const step = steps[event.key];
    if (!step || !drawn) return;
    event.preventDefault();
    const there = chartBox.value === size.code && xBox.value !== "";
    const [x, y] = there ? [Number(xBox.value), Number(yBox.value)] : [0.5, 0.5];
    put(x + step[0], y + step[1]);
  });

  home.querySelector("[data-clear-point]").addEventListener("click", () => {
    chartBox.value = xBox.value = yBox.value = "";
    if (drawn) show();
  });

  for (const one of choices) one.addEventListener("click", () => open(one.dataset.chartChoice));
  open(chartBox.value);
}
