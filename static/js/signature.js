// The signature pad. The strokes are the truth: they survive rotation and resizing of the box,
// because the canvas is cleared by both and drawn again from them.
import SignaturePad from "../vendor/signature_pad/signature_pad.min.js";

function scaled(strokes, x, y) {
  return strokes.map((stroke) => ({
    ...stroke,
    points: stroke.points.map((point) => ({ ...point, x: point.x * x, y: point.y * y })),
  }));
}

// What was drawn before the form came back refused.
function kept(text) {
  try {
    const { width, height, strokes } = JSON.parse(text);
    return width > 0 && height > 0 && Array.isArray(strokes) ? { width, height, strokes } : null;
  } catch {
    return null;
  }
}

function setUp(block) {
  const paper = block.querySelector("[data-paper]");
  const canvas = paper.querySelector("canvas");
  const hidden = block.querySelector("input[type=hidden]");
  const hint = block.querySelector("[data-hint]");
  const state = block.querySelector("[data-state]");
  const pad = new SignaturePad(canvas, { penColor: "#1b2430", minWidth: 0.8, maxWidth: 2.4 });
  let size = { width: 0, height: 0 };
  let before = kept(hidden.value);

  function keep() {
    const strokes = pad.toData();
    const points = strokes.map(({ points }) => ({
      points: points.map(({ x, y, time }) => ({ x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10, time })),
    }));
    hidden.value = strokes.length ? JSON.stringify({ ...size, strokes: points }) : "";
    hint.hidden = strokes.length > 0;
    state.textContent = strokes.length ? state.dataset.drawn : state.dataset.empty;
    block.dataset.empty = String(!strokes.length);
  }

  function fit() {
    const width = paper.clientWidth;
    const height = paper.clientHeight;
    if (!width || !height || (width === size.width && height === size.height)) return;
    const from = size.width ? { ...size, strokes: pad.toData() } : before;
    const strokes = from ? scaled(from.strokes, width / from.width, height / from.height) : [];
    before = null;
    const ratio = Math.max(window.devicePixelRatio || 1, 1);
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.getContext("2d").scale(ratio, ratio);
    size = { width, height };
    pad.clear();
    if (strokes.length) pad.fromData(strokes);
    keep();
  }

  pad.addEventListener("endStroke", keep);
  block.querySelector("[data-clear]").addEventListener("click", () => {
    pad.clear();
    keep();
  });
  new ResizeObserver(fit).observe(paper);
  fit();
}

function setUpAll(within) {
  for (const block of within.querySelectorAll("[data-signature]:not([data-ready])")) {
    block.dataset.ready = "yes";
    setUp(block);
  }
}

setUpAll(document);
document.addEventListener("htmx:load", (event) => setUpAll(event.detail.elt.parentElement ?? document));
