// Words that were kept on this device for a note which has been signed meanwhile: shown to their
// writer, who may add them to the note as an addendum, copy them, or throw them away.
import { announce } from "./clinic.js";
import { LocalCopy } from "./local-copy.js";

const box = document.querySelector("[data-left]");
const copy = new LocalCopy(box.dataset.copy, box.dataset.key);
const WORDS = /^(concern|examination|discussion|alternatives|advice|decision_reason|refer_to|f-\d+-words)$/;
const SECTION = { decision_reason: "decision", refer_to: "decision" };

const sectionOf = (name) => (name.startsWith("f-") ? "findings" : SECTION[name] ?? name);

function textOf({ value }) {
  const written = value.entries.filter(([name, text]) => WORDS.test(name) && text && value.changed.includes(sectionOf(name)));
  return written.map(([, text]) => text).join("\n\n");
}

const left = await copy.left();
const text = [...new Set(left.map(textOf))].filter(Boolean).join("\n\n");
if (left.length && !text) copy.forget(left);
if (text) {
  box.hidden = false;
  box.querySelector("[data-left-words]").textContent = text;
}

box.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button?.matches("[data-left-add]")) {
    const field = document.querySelector("textarea[name=text]");
    field.closest("details").open = true;
    field.value = [field.value, text].filter(Boolean).join("\n\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }
  if (button?.matches("[data-left-copy]")) {
    await navigator.clipboard.writeText(text);
    announce(button.dataset.words);
  }
  if (button?.matches("[data-left-drop]")) {
    copy.forget(left);
    box.hidden = true;
  }
});
