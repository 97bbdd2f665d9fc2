// What could not be sent is kept on this device, so that a dead network, a closed tab or an ended
// login loses nothing. It is encrypted with a key that comes with the page, for this person and
// this record, and is never stored: after signing out nobody can read what lies here.

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));

export class Keeper {
  constructor(name, key) {
    this.name = name;
    this.raw = key;
    this.last = Promise.resolve();
  }

  // Only a secure page has the means; without them nothing is kept, and nothing claims to be.
  get able() {
    return Boolean(this.raw && globalThis.crypto?.subtle && this.store);
  }

  get store() {
    try {
      return globalThis.localStorage;
    } catch {
      return null;
    }
  }

  async key() {
    this.made ??= crypto.subtle.importKey("raw", bytes(this.raw), "AES-GCM", false, ["encrypt", "decrypt"]);
    return this.made;
  }

  // One after the other: an older state never lands on a newer one. True once it is on the device.
  put(data) {
    if (!this.able) return Promise.resolve(false);
    const plain = new TextEncoder().encode(JSON.stringify(data));
    this.last = this.last.then(() => this.write(plain));
    return this.last;
  }

  async write(plain) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await this.key(), plain);
    try {
      this.store.setItem(this.name, `${text(iv)}.${text(sealed)}`);
      return true;
    } catch {
      return false; // The device has no room left.
    }
  }

  async get() {
    const found = this.able && this.store.getItem(this.name);
    if (!found) return null;
    const [iv, sealed] = found.split(".").map(bytes);
    try {
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await this.key(), sealed);
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      return null; // Kept with another key: not ours to read.
    }
  }

  drop() {
    this.last = this.last.then(() => this.store?.removeItem(this.name));
    return this.last;
  }
}
