/**
 * The smallest client: text mode over WebSocket, which Node (22 and later) and every browser bring along.
 *
 *     npx node examples/text-client/chat.mjs TOKEN CONVERSATION [TEXT]
 *
 * Shows the latest messages of a conversation, sends TEXT if there is one, and then shows what arrives, until a
 * minute has passed without any. It keeps nothing and does not reconnect: examples/python-client does.
 */
const [token, conversation, text] = process.argv.slice(2);
if (token === undefined || conversation === undefined) {
  console.error("Usage: chat.mjs TOKEN CONVERSATION [TEXT]");
  process.exit(2);
}
if (globalThis.WebSocket === undefined) {
  console.error(
    `Node ${process.version} has no WebSocket: run it with Node 22 or later (in the clone: npx node)`,
  );
  process.exit(2);
}
const url = process.env.CHAT_URL ?? "ws://127.0.0.1:8080/ws";
const quietMsMax = Number(process.env.QUIET_MS ?? 60_000);

const socket = new WebSocket(url);
const answers = new Map();
let commands = 0;
let quiet;

/** Sends a command; resolves to its reply, with the items that came before it. */
function ask(type, fields = {}) {
  const id = ++commands;
  socket.send(JSON.stringify({ type, id, ...fields }));
  return new Promise((resolve, reject) => answers.set(id, { resolve, reject, items: [] }));
}

socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  const waiting = answers.get(frame.id);
  if (frame.id === undefined) return pushed(frame);
  if (waiting === undefined) return;
  if (frame.type !== "error" && !frame.type.endsWith(".ok")) return waiting.items.push(frame);
  answers.delete(frame.id);
  if (frame.type === "error") waiting.reject(new Error(`${frame.name}: ${frame.message}`));
  else waiting.resolve({ ...frame, items: waiting.items });
};

function pushed(frame) {
  if (frame.type === "close") console.error(`closed: ${frame.code} ${frame.reason}`);
  if (frame.type !== "message" || frame.conversation !== conversation) return;
  show(frame);
  ask("ack", { positions: { [conversation]: frame.seq } }).catch(fail);
}

function show({ seq, from, body, messageType }) {
  if (messageType?.startsWith("hongyan.")) console.log(`${seq} (${messageType})`);
  else console.log(`${seq} ${from}: ${body ?? "(bytes)"}`);
  clearTimeout(quiet);
  quiet = setTimeout(() => socket.close(), quietMsMax);
}

function fail(error) {
  console.error(error.message);
  process.exitCode = 1;
  socket.close();
}

socket.onerror = () => fail(new Error(`cannot connect to ${url}`));
socket.onopen = async () => {
  try {
    const { user } = await ask("connect", { version: 1, token, device: `text-${crypto.randomUUID()}` });
    console.log(`connected as ${user}`);
    // Until a sync has come to its end, nothing is pushed. The request for a page acknowledges the one before.
    for (let positions = {}, more = true; more; ) {
      const page = await ask("sync", { positions });
      positions = Object.fromEntries(page.items.map(({ conversation, seq }) => [conversation, seq]));
      more = page.more;
      if (!more && page.count > 0) await ask("ack", { positions });
    }
    // A direct conversation exists from its first message on.
    const { items } = await ask("history", { conversation, limit: 10 }).catch(() => ({ items: [] }));
    for (const message of items.reverse()) show(message);
    if (text !== undefined) {
      const { seq } = await ask("send", { conversation, clientMessageId: crypto.randomUUID(), body: text });
      console.log(`stored at ${seq}`);
    }
    quiet ??= setTimeout(() => socket.close(), quietMsMax);
  } catch (error) {
    fail(error);
  }
};
