// What could not be sent is kept on this device (sealed.js), so that a dead network, a closed tab or
// an ended login loses nothing. One state for each record, the newest.
import { keyOf, PREFIX, seal, unseal } from "./sealed.js";

export class Keeper {
  constructor(name, key) {
    this.name = PREFIX + name;
    this.key = keyOf(key);
    this.last = Promise.resolve();
  }

  // One after the other: an older state never lands on a newer one. True once it is on the device.
  put(data) {
    const state = structuredClone(data);
    this.last = this.last.then(() => this.write(state));
    return this.last;
  }

  async write(data) {
    const key = await this.key;
    if (!key) return false;
    try {
      localStorage.setItem(this.name, await seal(key, data));
      return true;
    } catch {
      return false; // The device has no room left, or may keep nothing.
    }
  }

  async get() {
    const key = await this.key;
    try {
      const found = key && localStorage.getItem(this.name);
      return found ? await unseal(key, found) : null;
    } catch {
      return null; // Nothing can be kept here.
    }
  }

  drop() {
    this.last = this.last.then(() => {
      try {
        localStorage.removeItem(this.name);
      } catch {
        // Nothing could be kept here either.
      }
    });
    return this.last;
  }
}
