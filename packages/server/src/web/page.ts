/** The chat page, as built by apps/web. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Journal } from "@hongyan/core";
import { ProtocolError } from "@hongyan/protocol";
import type { FastifyInstance } from "fastify";
import { sendError } from "../api/errors.ts";

const pageDirectory = fileURLToPath(new URL("../../../../apps/web/dist/", import.meta.url));
const year = "public, max-age=31536000, immutable";

export async function addPage(
  app: FastifyInstance,
  journal: Journal,
  directory = pageDirectory,
): Promise<void> {
  if (!existsSync(join(directory, "index.html"))) {
    journal.warn("page.missing", {
      directory,
      advice: "node tools/install.mjs --web",
    });
    app.get("/", { schema: { hide: true } }, (_request, reply) =>
      sendError(
        reply,
        new ProtocolError(
          "not_found",
          "The chat page is not built on this server; the API and all transports work.",
        ),
      ),
    );
    return;
  }
  const { default: files } = await import("@fastify/static");
  await app.register(files, {
    root: directory,
    prefix: "/",
    dotfiles: "ignore",
    cacheControl: false,
    // The build names the files under assets/ by their content; everything else is asked for again.
    setHeaders: (reply, path) => {
      reply.header("cache-control", path.includes(join(directory, "assets")) ? year : "no-cache");
    },
  });
}
