// Words that the clinic has not saved yet, kept in this browser. They are encrypted (AES-256-GCM)
// with a key that the server makes for one person and one note and writes only into that person's
// own signed-in page: whoever else uses this device finds noise. A copy goes as soon as the clinic
// has saved it, and after a week in any case (clinic.js).
const PREFIX = "kept:";

const toText = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export class LocalCopy {
  // `owner` is "person:record"; each open page has a copy of its own.
  constructor(owner, key) {
    this.prefix = `${PREFIX}${owner}:`;
    this.name = this.prefix + crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.last = Promise.resolve(false);
    this.wanted = null;
    // Without a secure connection there is no encryption, and nothing is kept.
    this.key = crypto.subtle
      ? crypto.subtle.importKey("raw", toBytes(key), "AES-GCM", false, ["encrypt", "decrypt"]).catch(() => null)
      : Promise.resolve(null);
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
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify(value)));
    if (this.wanted === undefined) return false;
    try {
      localStorage.setItem(this.name, `${Date.now()}.${toText(iv)}.${toText(sealed)}`);
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
      const value = await this.open(key, text);
      if (value) found.push({ name, text, value, at: Number(text.split(".")[0]) });
    }
    return found.sort((a, b) => a.at - b.at);
  }

  async open(key, text) {
    const [, iv, sealed] = text.split(".");
    try {
      const bytes = await crypto.subtle.decrypt({ name: "AES-GCM", iv: toBytes(iv) }, key, toBytes(sealed));
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return null;
    }
  }

  // Take away what was taken over, unless its page has written more since.
  forget(kept) {
    for (const { name, text } of kept) {
      if (localStorage.getItem(name) === text) this.remove(name);
    }
  }
}
