// Sending photos one at a time. What is said of each is what the server has answered; until then
// it stays in this page's memory and can be sent again, under the same name, without being doubled.
import { announce, setSaving } from "./clinic.js";
import { stillHere } from "./still-here.js";

const waiting = new Set();

// Leaving the page would lose what is not saved yet.
addEventListener("beforeunload", (event) => {
  if (waiting.size) event.preventDefault();
});

export class Sender {
  // `words`: the data-words-* of templates/patients/photo_words.html; `saved`: told of each answer.
  constructor({ address, words, token, saved }) {
    Object.assign(this, { address, words, token, saved });
    this.line = Promise.resolve();
  }

  // One photo: {picture, name, shot, takenOn, fromCamera, state}. They go one after the other.
  send(photo) {
    photo.id ??= crypto.randomUUID();
    waiting.add(photo);
    this.say(photo, "idle", this.words.wordsWaiting);
    this.line = this.line.then(() => this.sendNow(photo, true));
    return this.line;
  }

  drop(photo) {
    waiting.delete(photo);
  }

  get busy() {
    return waiting.size > 0;
  }

  async sendNow(photo, mayRenew) {
    if (!waiting.has(photo)) return;
    if (!navigator.onLine) return this.failed(photo, this.words.wordsOffline);
    this.say(photo, "saving", this.words.wordsSaving);
    try {
      const answer = await this.post(photo);
      if (answer.status === 403 && mayRenew && (await this.renewToken())) return this.sendNow(photo, false);
      await this.read(photo, answer);
    } catch {
      this.failed(photo, navigator.onLine ? this.words.wordsFailed : this.words.wordsOffline);
    }
  }

  post(photo) {
    const form = new FormData();
    form.set("csrfmiddlewaretoken", this.token);
    form.set("shot", photo.shot);
    form.set("public_id", photo.id);
    if (photo.takenOn) form.set("taken_on", photo.takenOn);
    if (photo.fromCamera) form.set("from_camera", "on");
    form.set("pictures", photo.picture, "photo");
    const headers = { "X-One-Photo": "yes" };
    return fetch(this.address, { method: "POST", body: form, headers, redirect: "manual", credentials: "same-origin" });
  }

  // Signing in elsewhere changes the form's token: send again with the new one, once.
  async renewToken() {
    if ((await stillHere()) !== "here") return false;
    this.token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
    return true;
  }

  async read(photo, answer) {
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
      return this.failed(photo, this.words.wordsSignIn);
    }
    if (answer.status === 422) {
      return this.failed(photo, (await answer.json()).message);
    }
    if (answer.status !== 201) return this.failed(photo, this.words.wordsFailed);
    const told = await answer.json();
    waiting.delete(photo);
    this.say(photo, "saved", this.words.wordsSaved);
    this.saved?.(photo, told);
  }

  failed(photo, why) {
    this.say(photo, "failed", `${this.words.wordsNot} ${why}`);
    const again = Object.assign(document.createElement("button"), {
      type: "button",
      className: "btn btn-secondary btn-sm",
      textContent: this.words.wordsAgain,
    });
    again.addEventListener("click", () => this.send(photo));
    photo.state.querySelector("[data-words]").append(again);
    announce(`${photo.name}: ${this.words.wordsNot} ${why}`);
  }

  say(photo, state, words) {
    setSaving(photo.state, state, words);
  }
}
