// What a browser keeps while the clinic cannot be reached is encrypted (AES-256-GCM) with a key that
// the server makes for one person and one record and writes only into that person's own signed-in
// pages: whoever else uses this device finds noise. A text is "when.iv.cipher"; clinic.js takes away
// what is older than a week.
export const PREFIX = "kept:";

const toText = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// The key, or null: without a secure connection there is no encryption, and nothing is kept.
export async function keyOf(raw) {
  if (!raw || !crypto.subtle) return null;
  return crypto.subtle.importKey("raw", toBytes(raw), "AES-GCM", false, ["encrypt", "decrypt"]).catch(() => null);
}

export async function seal(key, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(value));
  return `${Date.now()}.${toText(iv)}.${toText(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain))}`;
}

// The value, or null where it was sealed with another key: not ours to read.
export async function unseal(key, text) {
  const [, iv, sealed] = text.split(".");
  try {
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: toBytes(iv) }, key, toBytes(sealed));
    return JSON.parse(new TextDecoder().decode(plain));
  } catch {
    return null;
  }
}
