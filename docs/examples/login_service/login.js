// Passkeys, and one request for a double click. Everything else works without this script.
"use strict";

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

const MESSAGES = {
  NotAllowedError: "The passkey was not used: you cancelled, or it took too long.",
  SecurityError: `Passkeys do not work at this address: ${location.origin}`,
  InvalidStateError: "This device has a passkey for your account already.",
};

async function usePasskey(form) {
  const status = form.querySelector("[role=status]");
  status.textContent = "Follow the steps that your browser shows.";
  try {
    const options = JSON.parse(form.dataset.options);
    const credential = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.credential.value = JSON.stringify(credential);
    form.requestSubmit();
  } catch (error) {
    status.textContent = MESSAGES[error.name] ?? `Your browser could not use a passkey: ${error.message}`;
  }
}

const form = document.querySelector("form[data-passkey]");
if (form) {
  form.querySelector("button").addEventListener("click", () => usePasskey(form));
  if (form.dataset.passkey === "get") usePasskey(form); // the user has just chosen it
}
