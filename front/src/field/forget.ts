// On the page for signing in, which is where signing out leads to, from whichever page: what the app took along for a shift is
// forgotten on this device. What is not sent yet stays; it is shown and sent only when its owner signs in again.

import { forgetShift, NAME, open } from "./keep";

// Where there is no database none is made.
const isThere = "databases" in indexedDB ? (await indexedDB.databases()).some((one) => one.name === NAME) : true;
if (isThere) {
  const keep = await open();
  await forgetShift(keep);
  await keep.delete("meta", "who");
  keep.close();
}
