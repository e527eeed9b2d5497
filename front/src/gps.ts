// Where a photo says that it was taken: the GPS part of a JPEG's EXIF, and nothing else of it. Read in the browser; whether it is
// used, the reporter says.

/** EXIF is one segment of 64 KB at most, and stands near the begin; what is further back is not looked for. */
const HEAD = 256 * 1024;

/** Entries of a directory that are looked at: a camera writes some sixty. */
const MAX_ENTRIES = 500;

const GPS_DIRECTORY = 0x8825;
const [LATITUDE_SIDE, LATITUDE, LONGITUDE_SIDE, LONGITUDE] = [1, 2, 3, 4];

export interface Point {
  lon: number;
  lat: number;
}

/** The point; none when the file names none or is damaged. */
export async function takenAt(file: Blob): Promise<Point | null> {
  try {
    const head = new DataView(await file.slice(0, HEAD).arrayBuffer());
    const exif = segment(head);
    return exif ? pointOf(exif) : null;
  } catch (error) {
    // Reading beyond the end of what is there.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The TIFF inside the EXIF segment of a JPEG. */
function segment(file: DataView): DataView | null {
  if (file.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  // Each turn goes at least four bytes further.
  while (at + 10 < file.byteLength) {
    const [marker, length] = [file.getUint16(at), file.getUint16(at + 2)];
    // The picture itself begins, or what is no marker.
    if (marker === 0xffda || marker >> 8 !== 0xff || length < 2) return null;
    const isExif = marker === 0xffe1 && file.getUint32(at + 4) === 0x45786966 && file.getUint16(at + 8) === 0;
    if (isExif) return new DataView(file.buffer, at + 10, Math.min(length - 8, file.byteLength - at - 10));
    at += 2 + length;
  }
  return null;
}

interface Entry {
  count: number;
  /** Where its value stands. */
  at: number;
}

/** The entries of the directory at an offset, by their tags. Values of more than four bytes stand elsewhere. */
function directory(tiff: DataView, offset: number, little: boolean): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  const count = Math.min(tiff.getUint16(offset, little), MAX_ENTRIES);
  for (let i = 0; i < count; i += 1) {
    const at = offset + 2 + 12 * i;
    entries.set(tiff.getUint16(at, little), { count: tiff.getUint32(at + 4, little), at: at + 8 });
  }
  return entries;
}

function pointOf(tiff: DataView): Point | null {
  const order = tiff.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return null;
  const little = order === 0x4949;
  const first = directory(tiff, tiff.getUint32(4, little), little);
  const pointer = first.get(GPS_DIRECTORY);
  if (!pointer) return null;
  const gps = directory(tiff, tiff.getUint32(pointer.at, little), little);
  const lat = degrees(tiff, little, gps.get(LATITUDE), gps.get(LATITUDE_SIDE), "S", 90);
  const lon = degrees(tiff, little, gps.get(LONGITUDE), gps.get(LONGITUDE_SIDE), "W", 180);
  // A camera without a fix writes noughts.
  return lat === null || lon === null || (lat === 0 && lon === 0) ? null : { lon, lat };
}

/** Degrees, minutes and seconds as one number; below nought on the other side. */
function degrees(
  tiff: DataView,
  little: boolean,
  value: Entry | undefined,
  side: Entry | undefined,
  other: string,
  most: number,
): number | null {
  if (value?.count !== 3 || !side) return null;
  const at = tiff.getUint32(value.at, little);
  let sum = 0;
  for (const [i, part] of [1, 60, 3600].entries()) {
    const above = tiff.getUint32(at + 8 * i, little);
    const below = tiff.getUint32(at + 8 * i + 4, little);
    if (below === 0) return null;
    sum += above / below / part;
  }
  if (!(sum <= most)) return null;
  return String.fromCharCode(tiff.getUint8(side.at)) === other ? -sum : sum;
}
