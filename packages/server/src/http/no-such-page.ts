/** What a person sees whose browser asks for a path that does not exist. */
import type { IncomingHttpHeaders } from "node:http";

/** Whether a browser asks for something to show; a program that takes anything is no browser. */
export function wantsPage(method: string, { accept = "" }: IncomingHttpHeaders): boolean {
  return (method === "GET" || method === "HEAD") && /(^|[\s,])text\/html\b/i.test(accept);
}

/** Says nothing of what was asked for, so that no address can put anything into it. */
export const noSuchPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>No such page</title>
<style>
  body { max-width: 32rem; margin: 20vh auto 0; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.25rem; }
</style>
<h1>There is no such page</h1>
<p>The address leads nowhere on this server. <a href="/">To the first page</a></p>
</html>
`;
