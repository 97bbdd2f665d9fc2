// "3 of 6" at the appointments of a list: asked for together, once the list is there.

const address = document.querySelector("script[data-course-marks]")?.dataset.courseMarks;
const AT_ONCE = 200;

async function fill(within) {
  const places = [...within.querySelectorAll("[data-course-of]:empty")];
  const ids = [...new Set(places.map((place) => place.dataset.courseOf))];
  for (let first = 0; first < ids.length; first += AT_ONCE) {
    const asked = ids.slice(first, first + AT_ONCE);
    const answer = await fetch(`${address}?appointments=${asked.join(",")}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const marks = await answer.json();
    for (const place of places) show(place, marks[place.dataset.courseOf]);
  }
}

function show(place, mark) {
  if (!mark || place.firstChild) return;
  const shown = document.createElement("span");
  shown.className = mark.tone === "wait" ? "course-mark course-mark-warn" : "course-mark";
  shown.title = mark.title;
  shown.textContent = mark.word;
  place.append(shown);
}

if (address) {
  fill(document).catch(() => {});
  document.addEventListener("htmx:afterSettle", (event) => fill(event.detail.elt.parentElement ?? document).catch(() => {}));
}
