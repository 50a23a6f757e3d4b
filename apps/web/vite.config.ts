import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The page is served by the server under a content security policy without inline scripts: the build therefore
 * emits plain files and no module preload polyfill. In development the API is taken from a running server.
 */
const server = process.env.HONGYAN_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  publicDir: "public",
  build: {
    target: "es2023",
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: {
    proxy: {
      "/v1": server,
      "/ws": { target: server, ws: true },
    },
  },
});
