// Asks the device for a passkey: the one thing that a page cannot do without a script. Forms that need it are hidden where
// there is none. What the device answers goes into the form, which is sent like any other.

"use strict";

(() => {
  const fromText = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: fromText(one.id) }));

  const ask = {
    async create({ publicKey }) {
      publicKey.challenge = fromText(publicKey.challenge);
      publicKey.user.id = fromText(publicKey.user.id);
      publicKey.excludeCredentials = known(publicKey.excludeCredentials);
      const { id, rawId, type, response } = await navigator.credentials.create({ publicKey });
      return {
        id,
        rawId: toText(rawId),
        type,
        response: {
          attestationObject: toText(response.attestationObject),
          clientDataJSON: toText(response.clientDataJSON),
        },
      };
    },
    async get({ publicKey }) {
      publicKey.challenge = fromText(publicKey.challenge);
      publicKey.allowCredentials = known(publicKey.allowCredentials);
      const { id, rawId, type, response } = await navigator.credentials.get({ publicKey });
      return {
        id,
        rawId: toText(rawId),
        type,
        response: {
          authenticatorData: toText(response.authenticatorData),
          clientDataJSON: toText(response.clientDataJSON),
          signature: toText(response.signature),
          userHandle: response.userHandle ? toText(response.userHandle) : null,
        },
      };
    },
  };

  const fill = async (form) => {
    const { answer } = form.elements;
    answer.value = "";
    const begun = await fetch(form.dataset.begin, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      redirect: "manual",
    });
    // Where the server refuses to begin, it says why when the form comes without an answer.
    if (begun.ok) answer.value = JSON.stringify(await ask[form.dataset.passkey](await begun.json()));
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!globalThis.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const [wrong, button] = [form.querySelector("[role=alert]"), form.querySelector("button")];
      wrong.hidden = true;
      button.disabled = true;
      try {
        await fill(form);
        form.submit();
      } catch {
        // The holder has changed their mind, or the device has no passkey for this place.
        wrong.hidden = false;
      }
      button.disabled = false;
    });
  }
})();
