// Two photos: one over the other under a slider or fading, and enlarged together.
const MOST_ZOOM = 4;
const STEP = 30;
const ARROWS = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

class Pair {
  constructor(root) {
    this.root = root;
    this.mode = root.dataset.compare;
    this.pair = root.querySelector("[data-pair]");
    this.cut = root.querySelector("[data-cut]");
    this.zoom = 1;
    this.place = [0, 0];
    root.querySelector("[data-tools]").hidden = false;
    if (this.mode !== "side") this.layOver();
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.enlarge(Number(button.dataset.zoom)));
    }
    this.pair.tabIndex = 0;
    this.pair.addEventListener("keydown", (event) => this.key(event));
    this.pair.addEventListener("pointerdown", (event) => this.grab(event));
  }

  layOver() {
    this.pair.classList.add("is-laid");
    const edge = this.root.querySelector("[data-edge]");
    if (edge) edge.hidden = false;
    this.cut.addEventListener("input", () => this.showCut());
    this.showCut();
  }

  showCut() {
    this.pair.style.setProperty("--cut", `${this.cut.value}%`);
    this.pair.style.setProperty("--fade", String(this.cut.value / 100));
  }

  setCut(value) {
    this.cut.value = String(value);
    this.showCut();
  }

  enlarge(by) {
    this.zoom = by === 0 ? 1 : Math.min(MOST_ZOOM, Math.max(1, this.zoom + by * 0.5));
    if (this.zoom === 1) this.place = [0, 0];
    this.pair.classList.toggle("can-drag", this.zoom > 1);
    this.move(0, 0);
    this.root.querySelector("[data-zoomed]").textContent = `${Math.round(this.zoom * 100)} %`;
  }

  // Never so far that a picture leaves its frame.
  move(right, down) {
    const view = this.pair.querySelector(".photo-view").getBoundingClientRect();
    const most = [view.width, view.height].map((side) => (side * (this.zoom - 1)) / 2);
    this.place = [right, down].map((by, axis) => Math.min(most[axis], Math.max(-most[axis], this.place[axis] + by)));
    this.pair.style.setProperty("--zoom", String(this.zoom));
    this.pair.style.setProperty("--left", `${this.place[0]}px`);
    this.pair.style.setProperty("--top", `${this.place[1]}px`);
  }

  key(event) {
    if (event.target !== this.pair) return;
    if (event.key === "+" || event.key === "-") return this.enlarge(event.key === "+" ? 1 : -1);
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    if (this.zoom > 1) this.move(...way);
    else if (this.cut && way[0]) this.setCut(Number(this.cut.value) + (event.key === "ArrowRight" ? 2 : -2));
  }

  // The slider's edge follows the finger; an enlarged picture is dragged instead.
  grab(event) {
    if (event.button !== 0) return;
    const slides = this.mode === "slider" && this.zoom === 1;
    if (!slides && this.zoom === 1) return;
    event.preventDefault();
    this.pair.focus({ preventScroll: true });
    this.pair.setPointerCapture(event.pointerId);
    const follow = slides ? (moved) => this.cutAt(moved) : (moved) => this.move(moved.movementX, moved.movementY);
    if (slides) this.cutAt(event);
    const drop = () => this.pair.removeEventListener("pointermove", follow);
    this.pair.addEventListener("pointermove", follow);
    this.pair.addEventListener("pointerup", drop, { once: true });
    this.pair.addEventListener("pointercancel", drop, { once: true });
  }

  cutAt(event) {
    const box = this.pair.getBoundingClientRect();
    this.setCut(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)));
  }
}

for (const root of document.querySelectorAll("[data-compare]")) new Pair(root);
