// The questionnaire keeps itself while it is filled in. What the page says about saving is what the
// server has answered. Without this file everything is kept by "Save and continue".
import { announce, setSaving } from "./clinic.js";
import { stillHere } from "./still-here.js";

const WAIT_MS = 1200;
const AGAIN_MS = 6000;

class Questionnaire {
  constructor(form) {
    this.form = form;
    this.words = form.dataset;
    this.state = form.querySelector("[data-saving]");
    this.dirty = false;
    this.sending = false;
    this.ended = false;
    form.addEventListener("input", (event) => this.changed(event));
    form.addEventListener("submit", (event) => this.submitted(event));
    addEventListener("online", () => this.dirty && this.later(0));
    addEventListener("offline", () => this.dirty && this.failed(this.words.wordsOffline));
    addEventListener("focus", () => this.signedOut && this.later(0));
    if (this.differs()) this.changed({ target: form });
  }

  // Something was typed before this script had arrived, or the browser has put it back.
  differs() {
    return [...this.form.elements].some((one) => {
      if (one.matches("[type=hidden], button, fieldset")) return false;
      if (one.matches("[type=checkbox], [type=radio]")) return one.checked !== one.defaultChecked;
      if (one.matches("select")) return [...one.options].some((o) => o.selected !== o.defaultSelected && one.value !== "");
      return one.value !== one.defaultValue;
    });
  }

  changed(event) {
    this.exclude(event.target);
    this.dirty = true;
    if (!this.conflict) this.say("idle", this.words.wordsWaiting);
    this.later(WAIT_MS);
  }

  // "None of these" and a tick contradict each other: the last one counts. The server checks again.
  exclude(box) {
    const none = this.form.elements.none;
    if (!none || !box.checked || !box.matches("input")) return;
    if (box === none) for (const one of this.form.querySelectorAll("[data-tick]")) one.checked = false;
    else if (box.matches("[data-tick]")) none.checked = false;
  }

  later(wait) {
    clearTimeout(this.timer);
    if (!this.ended && !this.conflict) this.timer = setTimeout(() => this.save(), wait);
  }

  async save() {
    if (this.ended || !this.dirty) return;
    if (this.sending) return this.later(WAIT_MS);
    if (!navigator.onLine) return this.failed(this.words.wordsOffline);
    this.sending = true;
    this.dirty = false;
    this.say("saving", this.words.wordsSaving);
    try {
      await this.read(await this.send(true));
    } catch {
      this.failed(navigator.onLine ? this.words.wordsFailed : this.words.wordsOffline);
      this.later(AGAIN_MS);
    } finally {
      this.sending = false;
    }
  }

  async send(quietly, mayRenew = true) {
    const answer = await fetch(location.href, {
      method: "POST",
      body: new FormData(this.form),
      headers: quietly ? { "X-Autosave": "yes" } : {},
      redirect: quietly ? "manual" : "follow",
      credentials: "same-origin",
    });
    // Coming in anew changes the form's token: fetch the new one and send again, once.
    if (answer.status === 403 && mayRenew && (await stillHere()) === "here") return this.send(quietly, false);
    return answer;
  }

  async read(answer) {
    if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) return this.askToSignIn();
    if (![200, 409, 422].includes(answer.status)) return this.failed(this.words.wordsFailed);
    const told = await answer.json();
    if (answer.status !== 200) {
      this.conflict = answer.status === 409;
      return this.failed(`${this.words.wordsNot} ${told.message}`);
    }
    this.signedOut = false;
    this.form.elements.seen.value = told.seen;
    if (this.dirty) return this.later(WAIT_MS);
    delete this.form.dataset.changed;
    this.say("saved", told.words);
  }

  // The page is left only when the server has it: a lost network must not lose what was typed.
  async submitted(event) {
    event.preventDefault();
    if (this.ended || this.leaving) return;
    clearTimeout(this.timer);
    this.leaving = true;
    event.submitter?.setAttribute("aria-busy", "true");
    try {
      while (this.sending) await new Promise((done) => setTimeout(done, 50));
      if (!navigator.onLine) throw new TypeError("offline");
      const answer = await this.send(false);
      if (this.isShutOut(answer)) return this.askToSignIn(event.submitter);
      this.ended = true;
      this.form.dataset.clean = "yes";
      if (answer.redirected) location.assign(answer.url);
      else this.form.submit();
    } catch {
      event.submitter?.removeAttribute("aria-busy");
      this.dirty = true;
      this.failed(navigator.onLine ? this.words.wordsFailed : this.words.wordsOffline);
      this.tellToKeep();
      this.later(AGAIN_MS);
    } finally {
      this.leaving = false;
    }
  }

  tellToKeep() {
    this.form.querySelector(".history-keep")?.remove();
    const note = Object.assign(document.createElement("p"), { className: "history-keep note tone-wait", textContent: this.words.wordsKeep });
    this.form.append(note);
    addEventListener("online", () => note.remove(), { once: true });
  }

  isShutOut(answer) {
    const door = new URL(this.words.signIn, location.href).pathname;
    return [401, 403].includes(answer.status) || (answer.redirected && new URL(answer.url).pathname === door);
  }

  askToSignIn(button) {
    button?.removeAttribute("aria-busy");
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
    setSaving(this.state, state, words);
  }
}

for (const form of document.querySelectorAll("form[data-history]")) new Questionnaire(form);
