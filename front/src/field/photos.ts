// Photos before they are kept: made small, so that a shift of them has room on the phone and goes over a bad line. Where and when
// they were taken, and with what, is lost with that.

import { jpeg } from "../photos";

/** The longest side that is kept, in points; more shows nothing more of a hole in a road. */
const LONGEST = 1600;
/** How finely it is kept. */
const QUALITY = 0.8;

export function shrink(file: Blob): Promise<Blob> {
  return jpeg(file, LONGEST, QUALITY);
}

/** Room that is left to the browser for what it keeps besides, in bytes. */
const SPARE = 5_000_000;

/** Whether there is room for so many bytes. Where the browser does not say, it is tried. */
export async function hasRoom(bytes: number): Promise<boolean> {
  const { quota, usage } = "estimate" in navigator.storage ? await navigator.storage.estimate() : {};
  return quota === undefined || usage === undefined || quota - usage > bytes + SPARE;
}
