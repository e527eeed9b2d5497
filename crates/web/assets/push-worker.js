// Shows what is pushed, and opens the page that it is about. Keeps nothing, and stands in the way of no request.

"use strict";

self.addEventListener("push", (event) => {
  const { id, title, body, lang, link } = event.data.json();
  // The same one that comes twice is shown once: it takes the place of the first, without a sound.
  event.waitUntil(
    self.registration.showNotification(title, { body, lang, tag: id, renotify: false, data: { link } }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.link, self.location.origin);
  // What is not of this place is not opened, whoever sent it.
  if (url.origin === self.location.origin) event.waitUntil(self.clients.openWindow(url.href));
});
