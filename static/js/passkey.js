// Making and using a passkey: the browser's own dialog between two answers of the server.
// The button stays hidden where the browser knows no passkeys; the words beside it say so.

const area = document.querySelector("[data-passkey]");

const toBytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const toText = (buffer) => {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const withIds = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

const send = (url, body) =>
  fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": area.dataset.token },
    body: JSON.stringify(body),
  });

const made = async (options) => {
  const key = options.publicKey;
  const credential = await navigator.credentials.create({
    publicKey: {
      ...key,
      challenge: toBytes(key.challenge),
      user: { ...key.user, id: toBytes(key.user.id) },
      excludeCredentials: withIds(key.excludeCredentials),
    },
  });
  return {
    id: credential.id,
    rawId: credential.id,
    type: credential.type,
    response: {
      clientDataJSON: toText(credential.response.clientDataJSON),
      attestationObject: toText(credential.response.attestationObject),
    },
  };
};

const used = async (options) => {
  const key = options.publicKey;
  const credential = await navigator.credentials.get({
    publicKey: {
      ...key,
      challenge: toBytes(key.challenge),
      allowCredentials: withIds(key.allowCredentials),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: credential.id,
    type: credential.type,
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
};

const say = (words, field) => {
  const box = area.querySelector("[data-passkey-said]");
  box.textContent = words;
  box.hidden = !words;
  const input = area.querySelector("input[name=name]");
  if (input) {
    const isNamed = field === "name";
    input.classList.toggle("is-invalid", isNamed);
    if (isNamed) input.focus();
  }
};

const run = async () => {
  const { begin, finish, passkey } = area.dataset;
  const input = area.querySelector("input[name=name]");
  if (input && !input.value.trim()) return say(area.dataset.nameless, "name");
  say("");
  const options = await send(begin, {});
  const asked = await options.json();
  if (!options.ok) return say(asked.refused);
  let answer;
  try {
    answer = await (passkey === "make" ? made(asked) : used(asked));
  } catch (error) {
    return say(error.name === "InvalidStateError" ? area.dataset.twice : area.dataset.stopped);
  }
  const checked = await send(finish, { answer, name: input ? input.value : "" });
  const said = await checked.json();
  if (!checked.ok) return say(said.refused, said.field);
  window.location.assign(said.to);
};

if (area && window.PublicKeyCredential) {
  const form = area.querySelector("form");
  form.hidden = false;
  area.querySelector("[data-passkey-none]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    run()
      .catch(() => say(area.dataset.stopped))
      .finally(() => {
        button.disabled = false;
      });
  });
}
