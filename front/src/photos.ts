// Photos on their way: made small before they are sent, and shown.

/** The longer side that is sent, in pixels; enough to read a house number, and a fifth of what a phone takes. */
const SIDE = 2048;

/** The longer side of a preview, in pixels. */
const PREVIEW = 240;

const QUALITY = 0.85;

/** A photo that will be sent. */
export interface Photo {
  name: string;
  blob: Blob;
}

function drawn(picture: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A picture turned upright, with a longer side of `side` pixels at most, and without what the camera wrote beside it. Fails where it is none. */
export async function jpeg(file: Blob, side: number, quality: number): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const canvas = drawn(picture, side);
  picture.close();
  const blob = await new Promise<Blob | null>((done) => {
    canvas.toBlob(done, "image/jpeg", quality);
  });
  if (!blob) throw new Error("the picture could not be written");
  return blob;
}

/** A file as it will be sent. Fails where it is no picture. */
export async function shrunk(file: File): Promise<Photo> {
  return { name: file.name.replace(/\.\w+$/, "") + ".jpg", blob: await jpeg(file, SIDE, QUALITY) };
}

/** A small picture of a photo, for the page. */
export async function preview(photo: Photo): Promise<HTMLCanvasElement> {
  const picture = await createImageBitmap(photo.blob);
  const canvas = drawn(picture, PREVIEW);
  picture.close();
  return canvas;
}
