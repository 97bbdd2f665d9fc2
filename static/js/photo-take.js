// The camera: view after view, with the earlier photo of each as a ghost over the picture.
// Where there is no camera, or it may not be used, each view takes a file instead.
import { announce } from "./clinic.js";
import { Sender } from "./photo-send.js";

const IDLE_MS = 120_000;
const QUALITY = 0.93;

class Booth {
  constructor(root) {
    this.root = root;
    this.words = root.dataset;
    const one = (name) => root.querySelector(`[data-${name}]`);
    for (const name of ["stage", "video", "still", "ghost", "guides", "idle", "start", "trouble", "controls", "snap", "keep", "again", "flip", "helps", "queue"]) this[name] = one(name);
    this.ghostControl = one("ghost-control");
    this.strength = one("ghost-strength");
    this.shots = [...root.querySelectorAll("[data-shot]")];
    this.facing = "environment";
    this.sender = new Sender({
      address: root.dataset.add,
      words: root.dataset,
      token: root.querySelector("input[name=csrfmiddlewaretoken]").value,
      saved: (photo, told) => this.saved(photo, told),
    });
    this.listen(one);
    this.offer();
  }

  listen(one) {
    this.start.addEventListener("click", () => this.open());
    this.snap.addEventListener("click", () => this.take());
    this.keep.addEventListener("click", () => this.keepIt());
    this.again.addEventListener("click", () => this.live());
    this.flip.addEventListener("click", () => {
      this.facing = this.facing === "environment" ? "user" : "environment";
      this.open();
    });
    this.strength.addEventListener("input", () => this.showGhost());
    one("guides-on").addEventListener("change", (event) => this.guides.toggleAttribute("hidden", !event.target.checked));
    for (const shot of this.shots) {
      shot.querySelector("[data-choose]").addEventListener("click", () => this.choose(shot));
      const input = shot.querySelector("input[type=file]");
      input.addEventListener("change", () => this.fromFile(shot, input));
    }
    addEventListener("pagehide", () => this.close());
    document.addEventListener("visibilitychange", () => document.hidden && this.close());
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.awake());
  }

  // The file boxes send by themselves here; the forms are for browsers without scripts.
  offer() {
    this.choose(this.shots[0], false);
    if (!navigator.mediaDevices?.getUserMedia) return;
    this.start.hidden = false;
    this.trouble.textContent = "";
  }

  async open() {
    this.close();
    const video = { facingMode: { ideal: this.facing }, width: { ideal: 4096 }, height: { ideal: 3072 } };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      const why = { NotAllowedError: "wordsDenied", NotFoundError: "wordsNone", OverconstrainedError: "wordsNone" };
      this.trouble.textContent = this.words[why[error.name] ?? "wordsBusy"];
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.stage.classList.toggle("is-tall", this.video.videoHeight > this.video.videoWidth);
    this.trouble.textContent = "";
    for (const shot of this.shots) shot.querySelector("[data-choose]").disabled = false;
    this.live();
    this.awake();
    this.snap.focus();
  }

  // Nobody has touched anything for a while: the camera does not look on.
  awake() {
    clearTimeout(this.sleep);
    if (this.stream) this.sleep = setTimeout(() => this.close(), IDLE_MS);
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    if (this.still.hidden) this.show("idle");
  }

  show(what) {
    this.video.hidden = what !== "live";
    this.still.hidden = what !== "still";
    this.idle.hidden = what !== "idle";
    this.controls.hidden = this.helps.hidden = what === "idle";
    this.snap.hidden = this.flip.hidden = what !== "live";
    this.keep.hidden = this.again.hidden = what !== "still";
    this.showGhost();
  }

  live() {
    if (!this.stream) return this.open();
    this.show("live");
    this.snap.focus();
  }

  choose(shot, speak = true) {
    this.chosen = shot;
    for (const one of this.shots) one.toggleAttribute("aria-current", one === shot);
    this.root.querySelector("[data-shot-name]").textContent = shot.dataset.name;
    this.root.querySelector("[data-shot-how]").textContent = shot.dataset.how;
    const earlier = shot.dataset.ghostUrl;
    if (earlier) this.ghost.src = earlier;
    else this.ghost.removeAttribute("src");
    if (this.stream) this.live();
    else this.showGhost();
    if (speak) announce(shot.dataset.name);
  }

  showGhost() {
    const earlier = this.ghost.hasAttribute("src");
    this.ghost.hidden = !earlier || this.video.hidden || this.strength.value === "0";
    this.ghost.style.opacity = String(this.strength.value / 100);
    this.ghostControl.hidden = !earlier;
  }

  take() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return;
    Object.assign(this.still, { width, height });
    this.still.getContext("2d").drawImage(this.video, 0, 0, width, height);
    this.show("still");
    this.keep.focus();
  }

  async keepIt() {
    const shot = this.chosen;
    this.keep.disabled = true;
    const picture = await new Promise((done) => this.still.toBlob(done, "image/jpeg", QUALITY));
    this.keep.disabled = false;
    this.sendFor(shot, picture, true);
    const next = this.shots.find((one) => !one.dataset.done && one !== shot);
    this.choose(next ?? shot);
    this.live();
  }

  fromFile(shot, input) {
    const [picture] = input.files;
    if (picture) this.sendFor(shot, picture, false);
    input.value = "";
  }

  sendFor(shot, picture, fromCamera) {
    shot.dataset.done = "yes";
    const state = shot.querySelector("[data-saving]");
    this.sender.send({ picture, name: shot.dataset.name, shot: shot.dataset.shot, fromCamera, state, row: shot });
  }

  // The new photo is the ghost of the next one of this view.
  saved(photo, told) {
    const image = Object.assign(new Image(), { src: told.thumb, alt: "" });
    photo.row.querySelector("[data-last]").replaceChildren(image);
    photo.row.dataset.ghostUrl = told.thumb.replace(/thumb\/$/, "screen/");
  }
}

for (const root of document.querySelectorAll("[data-photo-take]")) new Booth(root);
