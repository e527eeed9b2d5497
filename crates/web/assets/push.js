// Asks the browser for a subscription to push, and gives it back: what a page cannot do without a script. The form that needs it is
// hidden where there is none. What the browser says goes into the form, which is sent like any other.

"use strict";

(() => {
  const can = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
  const fromText = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

  // One that was there before may be of a key that is no more, or of somebody else.
  const end = async (registration) => (await registration.pushManager.getSubscription())?.unsubscribe();

  const subscribe = async ({ worker, key }) => {
    if ((await Notification.requestPermission()) !== "granted") throw new Error("not allowed");
    await navigator.serviceWorker.register(worker);
    const registration = await navigator.serviceWorker.ready;
    await end(registration);
    return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: fromText(key) });
  };

  for (const missing of document.querySelectorAll("[data-push=missing]")) missing.hidden = can;

  for (const form of document.querySelectorAll("form[data-push=on]")) {
    form.hidden = !can;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const [wrong, button] = [form.querySelector("[role=alert]"), form.querySelector("button")];
      wrong.hidden = true;
      button.disabled = true;
      try {
        form.elements.answer.value = JSON.stringify(await subscribe(form.dataset));
        form.submit();
      } catch {
        // The holder has refused, or the browser reaches no push service.
        wrong.hidden = false;
      }
      button.disabled = false;
    });
  }

  for (const form of document.querySelectorAll("form[data-push=off]")) {
    if (!can) continue;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const registration = await navigator.serviceWorker.getRegistration("/staff/");
        if (registration) await end(registration);
      } finally {
        form.submit();
      }
    });
  }
})();
