// Packs the type that briefings are printed with, for the program to take in: Noto Sans SC (SIL Open Font License 1.1), regular and
// bold, whole, so that no letter of a name is missing.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const WEIGHTS = { regular: "400Regular/NotoSansSC_400Regular.ttf", bold: "700Bold/NotoSansSC_700Bold.ttf" };

const from = dirname(createRequire(import.meta.url).resolve("@expo-google-fonts/noto-sans-sc/package.json"));
const to = join(import.meta.dirname, "type");
mkdirSync(to, { recursive: true });
for (const [weight, file] of Object.entries(WEIGHTS)) {
  writeFileSync(join(to, `noto-sans-sc-${weight}.ttf.gz`), gzipSync(readFileSync(join(from, file)), { level: 9 }));
}
writeFileSync(join(to, "LICENSE.txt"), readFileSync(join(from, "LICENSE_FONT")));
