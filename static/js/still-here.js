// Whether the clinic still answers this page, and still knows who sends: "here", "out" or "unreached".
// Signing in makes form tokens anew; the one in force comes with the answer and goes into the page.
export const door = document.querySelector("template[data-still-here]");

export async function stillHere() {
  try {
    const answer = await fetch(door.dataset.stillHere, { redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect" || answer.status === 401) return "out";
    if (!answer.ok) return "unreached";
    const token = await answer.text();
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    return "here";
  } catch {
    return "unreached";
  }
}
