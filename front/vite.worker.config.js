// Builds the worker of the app: one script that imports nothing, as browsers take it everywhere. The server serves it under an
// address of its own, so its name has no hash.

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      input: "src/field/worker.ts",
      output: { format: "iife", entryFileNames: "field-worker.js" },
    },
  },
});
