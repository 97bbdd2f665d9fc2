// Words that the clinic has not saved yet, kept in this browser (sealed.js). A copy goes as soon as
// the clinic has saved it. Each open page has one of its own.
import { keyOf, PREFIX, seal, unseal } from "./sealed.js";

export class LocalCopy {
  constructor(owner, key) {
    this.prefix = `${PREFIX}${owner}:`;
    this.name = this.prefix + crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.last = Promise.resolve(false);
    this.wanted = null;
    this.key = keyOf(key);
    navigator.locks?.request(this.name, () => new Promise(() => {}));
  }

  // Keep this instead of what was kept before; whether it is kept. The newest wish wins.
  put(value) {
    const idle = this.wanted === null;
    this.wanted = value;
    if (idle) this.last = this.last.then(() => this.write());
    return this.last;
  }

  async write() {
    const value = this.wanted;
    this.wanted = null;
    const key = await this.key;
    if (!key || value === undefined) return false;
    const text = await seal(key, value);
    if (this.wanted === undefined) return false;
    try {
      localStorage.setItem(this.name, text);
      return true;
    } catch {
      return false;
    }
  }

  // The clinic has it: nothing stays here, a write on its way included.
  async drop() {
    this.wanted = undefined;
    await this.last;
    this.wanted = null;
    this.remove(this.name);
  }

  remove(name) {
    try {
      localStorage.removeItem(name);
    } catch {
      // Nothing could be kept here either.
    }
  }

  // What pages that are gone have left: name, text as stored, and value, oldest first.
  async left() {
    const key = await this.key;
    if (!key) return [];
    const live = new Set(((await navigator.locks?.query())?.held ?? []).map((lock) => lock.name));
    const found = [];
    this.isHeld = false;
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(this.prefix) || name === this.name) continue;
      if (live.has(name)) {
        this.isHeld = true;
        continue;
      }
      const text = localStorage.getItem(name);
      const value = await unseal(key, text);
      if (value) found.push({ name, text, value, at: Number(text.split(".")[0]) });
    }
    return found.sort((a, b) => a.at - b.at);
  }

  // Take away what was taken over, unless its page has written more since.
  forget(kept) {
    for (const { name, text } of kept) {
      if (localStorage.getItem(name) === text) this.remove(name);
    }
  }
}
