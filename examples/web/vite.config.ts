// `npm run web` serves the page while you change it; `npx vite build examples/web` writes examples/web/dist, which any server of files serves.

import { defineConfig } from "vite";
import { dlm } from "./plugin.ts";

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses, so that the folder may lie anywhere.
  base: "./",
  build: { target: "es2022" },
  plugins: [dlm({ model: "Digits" })],
});
