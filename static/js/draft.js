// A draft that keeps itself. What the page says about saving is what the server has answered.
import { announce, setSaving } from "./clinic.js";

const WAIT_MS = 2500;

class Draft {
  constructor(form) {
    this.form = form;
    this.state = document.querySelector("[data-saving]");
    this.words = form.dataset;
    this.dirty = false;
    this.sending = false;
    this.stopped = false;
    form.addEventListener("input", () => this.changed());
    form.addEventListener("submit", (event) => this.submitted(event));
    addEventListener("online", () => this.dirty && this.later(0));
    addEventListener("focus", () => this.signedOut && this.later(0));
  }

  changed() {
    this.dirty = true;
    if (!this.conflict) this.say("idle", this.words.wordsWaiting);
    this.later(WAIT_MS);
  }

  // A save on its way would make this page's revision an old one: wait for its answer.
  submitted(event) {
    clearTimeout(this.timer);
    if (!this.sending) {
      this.stopped = true;
      return;
    }
    event.preventDefault();
    const again = () => (this.sending ? setTimeout(again, 50) : this.form.requestSubmit(event.submitter));
    setTimeout(again, 50);
  }

  later(wait) {
    clearTimeout(this.timer);
    if (!this.stopped && !this.conflict) this.timer = setTimeout(() => this.save(), wait);
  }

  async save() {
    if (this.stopped || !this.dirty) return;
    if (this.sending) return this.later(WAIT_MS);
    if (!navigator.onLine) return this.say("failed", this.words.wordsOffline);
    this.sending = true;
    this.dirty = false;
    this.say("saving", this.words.wordsSaving);
    try {
      await this.read(await this.send(true));
    } catch {
      this.failed(navigator.onLine ? this.words.wordsFailed : this.words.wordsOffline);
      this.later(4 * WAIT_MS);
    } finally {
      this.sending = false;
    }
  }

  async send(mayRenew) {
    const answer = await fetch(this.form.action || location.href, {
      method: "POST",
      body: new FormData(this.form),
      headers: { "X-Autosave": "yes" },
      redirect: "manual",
      credentials: "same-origin",
    });
    // Signing in elsewhere changes the form's token: fetch the new one and send again, once.
    if (answer.status === 403 && mayRenew && (await this.renewToken())) return this.send(false);
    return answer;
  }

  async renewToken() {
    const page = await fetch(location.href, { redirect: "manual", credentials: "same-origin" });
    if (page.type === "opaqueredirect" || !page.ok) return false;
    const parsed = new DOMParser().parseFromString(await page.text(), "text/html");
    const token = parsed.querySelector("input[name=csrfmiddlewaretoken]")?.value;
    if (!token) return false;
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    return true;
  }

  async read(answer) {
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return this.askToSignIn();
    if (![200, 409, 422].includes(answer.status)) return this.failed(this.words.wordsFailed);
    const told = await answer.json();
    if (answer.status !== 200) {
      this.conflict = answer.status === 409;
      return this.failed(`${this.words.wordsNot} ${told.message}`);
    }
    this.signedOut = false;
    this.form.elements.revision.value = told.revision;
    if (this.dirty) this.later(WAIT_MS);
    else delete this.form.dataset.changed;
    this.say("saved", told.words);
    this.showType(told.computed);
    document.body.dispatchEvent(new CustomEvent("draft-saved"));
  }

  askToSignIn() {
    this.signedOut = true;
    this.failed(this.words.wordsSignIn);
    const link = Object.assign(document.createElement("a"), { href: this.words.signIn, target: "_blank", rel: "noopener" });
    link.textContent = this.words.wordsSignIn;
    this.state.querySelector("[data-words]").replaceChildren(link);
  }

  failed(words) {
    this.dirty = true;
    this.say("failed", words);
    announce(words);
  }

  say(state, words) {
    if (this.state) setSaving(this.state, state, words);
  }

  showType(type) {
    const note = document.querySelector("[data-computed]");
    if (!note) return;
    note.hidden = !type;
    note.querySelector("[data-computed-type]").textContent = ["", "I", "II", "III", "IV", "V", "VI"][type ?? 0];
  }
}

for (const form of document.querySelectorAll("form[data-autosave]")) new Draft(form);
