// What plain forms cannot do: security keys, showing a typed password, and stopping a second press of a button.
"use strict";

const bytes = (text) => {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};

const text = (buffer) => {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

// The options as they come in JSON, in the form that the browser wants them (WebAuthn level 3, 5.1.8 and 5.1.9).
const readable = (options) => {
  const keys = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));
  const read = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
  if (read.user) {
    read.user = { ...read.user, id: bytes(read.user.id) };
    read.excludeCredentials = keys(read.excludeCredentials);
  } else {
    read.allowCredentials = keys(read.allowCredentials);
  }
  return read;
};

// The key's answer as JSON.
const written = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  const { id, type } = credential;
  // Whether a new key is discoverable: without it the server learns so at its first use as a passkey.
  const { credProps } = credential.getClientExtensionResults();
  return JSON.stringify({ id, rawId: text(credential.rawId), type, response, extensions: credProps ? { credProps } : {} });
};

const challenge = (form) => {
  const fields = new FormData(form);
  fields.delete("credential");
  return fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(fields) });
};

// Has the browser offer passkeys among what it fills in (conditional mediation), for as long as the page is open: a challenge that has
// nearly expired is replaced, once somebody looks. The page is as good without, so that nothing is told when it fails.
let offered = new AbortController();

const offer = async (form) => {
  offered.abort();
  const { signal } = (offered = new AbortController());
  const able = window.PublicKeyCredential && PublicKeyCredential.isConditionalMediationAvailable;
  if (!able || !(await PublicKeyCredential.isConditionalMediationAvailable())) return;
  const answer = await challenge(form);
  if (!answer.ok || signal.aborted) return;
  const again = () => {
    if (document.hidden) document.addEventListener("visibilitychange", again, { once: true, signal });
    else offer(form).catch(() => {});
  };
  const timer = setTimeout(again, form.dataset.offer * 800);
  signal.addEventListener("abort", () => clearTimeout(timer));
  const publicKey = readable(await answer.json());
  const credential = await navigator.credentials.get({ publicKey, mediation: "conditional", signal });
  form.elements.credential.value = written(credential);
  form.submit();
};

const tell = (form, words, quiet) => {
  const place = form.querySelector("[data-told]");
  place.classList.toggle("waiting", Boolean(quiet));
  place.hidden = !words;
  place.textContent = words || "";
};

// Fetches a challenge, has the key answer it, and sends the form with the answer. Each way it can fail is told where it happened.
const useKey = async (form) => {
  const words = form.dataset;
  if (!window.PublicKeyCredential) return tell(form, words.unsupported);
  tell(form, words.waiting, true);
  // Of two requests the browser refuses one.
  offered.abort();
  const answer = await challenge(form);
  const options = await answer.json().catch(() => ({}));
  if (options.location) return window.location.assign(options.location);
  if (!answer.ok) return tell(form, options.problem || words.failed);
  try {
    const publicKey = readable(options);
    const keys = navigator.credentials;
    const credential = words.key === "create" ? await keys.create({ publicKey }) : await keys.get({ publicKey });
    form.elements.credential.value = written(credential);
  } catch (error) {
    if (error.name === "InvalidStateError") return tell(form, words.known || words.failed);
    return tell(form, error.name === "NotAllowedError" ? words.cancelled : words.failed);
  }
  form.submit();
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  const once = form.dataset.sent;
  form.dataset.sent = "yes";
  if (once || form.dataset.key) event.preventDefault();
  if (once || !form.dataset.key) return;
  useKey(form)
    .catch(() => tell(form, form.dataset.failed))
    .finally(() => {
      delete form.dataset.sent;
      if (form.dataset.offer && !form.elements.credential.value) offer(form).catch(() => {});
    });
});

// A page that the back button brings from memory is to be usable again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const form of document.querySelectorAll("form[data-offer]")) offer(form).catch(() => {});
});

// The mailbox of development: what has arrived is put in its place, what is gone is taken away, and nothing else of the page moves.
const mails = document.querySelector("[data-changes]");

const change = ({ seen, mails: now }) => {
  const told = document.getElementById("mail-told");
  const names = new Set(now.map((mail) => mail.name));
  const rows = new Map(Array.from(mails.children, (row) => [row.dataset.name, row]));
  for (const [name, row] of rows) if (!names.has(name) && !row.contains(document.activeElement)) row.remove();
  let place = mails.firstElementChild;
  for (const mail of now) {
    const known = rows.get(mail.name);
    if (known) {
      place = known.nextElementSibling;
      continue;
    }
    const row = document.getElementById("mail-row").content.firstElementChild.cloneNode(true);
    row.dataset.name = mail.name;
    row.querySelector("a").href += mail.name;
    for (const slot of ["subject", "to", "at"]) row.querySelector(`[data-${slot}]`).textContent = mail[slot];
    mails.insertBefore(row, place);
  }
  const arrived = now.find((mail) => !rows.has(mail.name));
  told.textContent = arrived ? `${told.dataset.arrived} ${arrived.subject}` : "";
  document.getElementById("mail-none").hidden = mails.children.length > 0;
  mails.dataset.seen = seen;
};

// Asks while somebody looks.
const watch = async () => {
  const told = document.getElementById("mail-told");
  try {
    const answer = document.hidden || (await fetch(`${mails.dataset.changes}?seen=${mails.dataset.seen}`));
    if (answer.status === 200) change(await answer.json());
    else if (answer.ok && told.textContent === told.dataset.away) told.textContent = "";
  } catch {
    told.textContent = told.dataset.away;
  }
  setTimeout(watch, 1500);
};

if (mails) watch();

for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;

const { show, hide } = document.body.dataset;
for (const input of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  const label = document.querySelector(`label[for="${input.id}"]`);
  button.type = "button";
  button.className = "reveal";
  button.textContent = show;
  button.setAttribute("aria-controls", input.id);
  button.setAttribute("aria-label", `${show}: ${label.textContent}`);
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? hide : show;
    button.setAttribute("aria-label", `${button.textContent}: ${label.textContent}`);
  });
  const box = document.createElement("div");
  box.className = "revealed";
  input.replaceWith(box);
  box.append(input, button);
  if (input.autofocus) input.focus();
}
