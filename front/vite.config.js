// Builds what the server embeds: names with the hash of their content, a list of what came of what, and compressed copies.

import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

/** Below this a copy saves less than its own head. */
const WORTH_IT = 1024;

/** Leaves `name.br` and `name.gz` beside each file that they make smaller. */
function compressed() {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }) {
      for (const name of readdirSync(dir)) {
        const file = join(dir, name);
        if (!statSync(file).isFile() || !/\.(m?js|css|svg)$/.test(name)) continue;
        const bytes = readFileSync(file);
        if (bytes.length < WORTH_IT) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, quality));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/assets/front/",
  publicDir: false,
  build: {
    outDir: "dist",
    assetsDir: "",
    manifest: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // Nothing inline: the pages' policy takes scripts and styles from files alone.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rollupOptions: { input: ["src/map.ts", "src/queue.ts", "src/board.ts", "src/record.ts", "src/report.ts", "src/field/app.ts", "src/field/forget.ts"] },
  },
  plugins: [compressed()],
});

