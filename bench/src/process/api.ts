import type { Server } from "./server.ts";

/** Calls the HTTP API of a server as a customer's backend; rejects with the answer where it is a refusal. */
export async function callApi<T>(server: Server, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${server.apiKey}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Users of one call: the API takes lists of up to so many. */
const listMax = 500;

/** Makes a group of any size. */
export async function createGroup(
  server: Server,
  conversation: string,
  users: readonly string[],
): Promise<void> {
  const members = users.map((user) => ({ user }));
  await callApi(server, "POST", "/v1/conversations", { conversation, members: members.slice(0, listMax) });
  for (let from = listMax; from < members.length; from += listMax) {
    await callApi(server, "POST", `/v1/conversations/${conversation}/members`, {
      members: members.slice(from, from + listMax),
    });
  }
}
