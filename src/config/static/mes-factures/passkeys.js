// Passkeys. A form with data-key asks the server for a challenge, the device for an answer, then is sent like any form.
// Without JavaScript, or in a browser that knows no passkeys, it stays hidden. Its sentences are in the page.
const known = window.isSecureContext && window.PublicKeyCredential && navigator.credentials;
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function creation(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return {
    ...json,
    challenge: toBytes(json.challenge),
    user: { ...json.user, id: toBytes(json.user.id) },
    excludeCredentials: json.excludeCredentials.map((one) => ({ ...one, id: toBytes(one.id) })),
  };
}

function request(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: toBytes(json.challenge) };
}

// By hand and not with toJSON(), which some password managers leave out of what they hand over.
function written({ id, rawId, type, response }) {
  const parts = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = toText(response[name]);
  }
  if (parts.attestationObject) delete parts.authenticatorData; // it is inside
  return JSON.stringify({ id, rawId: toText(rawId), type, response: parts });
}

async function ask(form) {
  const answer = await fetch(form.dataset.ask, { method: "POST", body: new FormData(form) });
  const json = await answer.json();
  if (!answer.ok) return json.problem;
  const found = form.dataset.key === "create"
    ? await navigator.credentials.create({ publicKey: creation(json) })
    : await navigator.credentials.get({ publicKey: request(json) });
  form.elements.answer.value = written(found);
  const remember = document.querySelector('input[type="checkbox"][name="remember"]');
  if (remember && form.elements.remember) form.elements.remember.value = remember.checked ? "on" : "";
  form.submit();
  return "";
}

for (const form of known ? document.querySelectorAll("form[data-key]") : []) {
  const says = form.querySelector('[role="status"]');
  let busy = false;
  form.hidden = false;
  for (const other of document.querySelectorAll("[data-without-keys]")) other.hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    says.textContent = "";
    const { cancelled, failed } = form.dataset;
    const words = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: form.dataset.known };
    try {
      says.textContent = await ask(form);
    } catch (error) {
      says.textContent = words[error.name] || failed;
    }
    busy = false;
  });
}
