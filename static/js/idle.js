// A shared tablet: back to the start when nobody has touched it for a while, with the time in sight.

const box = document.querySelector("[data-idle]");
const limit = Number(box.dataset.idle);
const warn = Number(box.dataset.idleWarn);
const left = box.querySelector("[data-idle-left]");
const alertBox = box.querySelector("[data-idle-alert]");
let touched = Date.now();

function stay() {
  touched = Date.now();
  show();
}

function show() {
  const seconds = Math.max(0, Math.ceil(limit - (Date.now() - touched) / 1000));
  left.textContent = String(seconds);
  const late = seconds <= warn;
  box.classList.toggle("idle-late", late);
  const words = late ? alertBox.dataset.words : "";
  if (alertBox.textContent !== words) alertBox.textContent = words;
  return seconds;
}

function leave() {
  // What was typed is given up on purpose: nothing asks before leaving.
  for (const form of document.querySelectorAll("form[data-unsaved]")) form.dataset.clean = "yes";
  if (box.method === "post") box.submit();
  else location.replace(box.action);
}

for (const kind of ["pointerdown", "keydown", "input", "scroll", "touchmove"]) {
  addEventListener(kind, stay, { passive: true, capture: true });
}
box.querySelector("[data-idle-more]").addEventListener("click", stay);

// A page brought back by "back" is asked for anew: it may not be anyone's any more.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

const clock = setInterval(() => {
  if (show() > 0) return;
  clearInterval(clock);
  leave();
}, 500);
