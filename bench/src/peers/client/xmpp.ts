/**
 * XMPP with stream management (XEP-0198), by which both sides acknowledge stanzas. A group is a room (XEP-0045): it
 * sends what it has stored back to its sender. Receipts (XEP-0184) are not asked for: they go from user to user, those
 * for who is away are stored like messages, and no other system does that work.
 */
import type { Channel, PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import { numberOf, senderOf } from "../wire/body.ts";
import { PeerSocket } from "../wire/peer-socket.ts";
import { attribute, beginsWith, digitsFrom, elementEnd, find, writeAll, xmlText } from "../wire/xmpp.ts";

export const xmppHost = "localhost";
export const roomHost = `conference.${xmppHost}`;
/** Of every account. */
export const xmppPassword = "bench";

const resource = "bench";
const bytesOf = (text: string) => Buffer.from(text);
const tags = {
  message: bytesOf("<message"),
  presence: bytesOf("<presence"),
  iq: bytesOf("<iq"),
  answer: bytesOf("<a "),
  request: bytesOf("<r "),
  head: bytesOf("<stream:stream"),
  declaration: bytesOf("<?xml"),
  body: bytesOf("<body>"),
  error: bytesOf("='error'"),
  errorQuoted: bytesOf('="error"'),
  from: bytesOf(" from="),
  handled: bytesOf(" h="),
};
const bodyBytesBefore = "<body>".length;
const ask = bytesOf("<r xmlns='urn:xmpp:sm:3'/>");
const messageEnd = bytesOf("</body></message>");
const value = { start: 0, end: 0 };
const stanzaMask = 0x3fff;

interface Target {
  readonly isGroup: boolean;
  readonly head: string;
}

type State = "opening" | "authenticating" | "reopening" | "binding" | "managing" | "entering" | "ready";

export class XmppClient extends PeerSocket implements PeerClient {
  readonly #login: PeerLogin;
  readonly #events: PeerEvents;
  readonly #targets: readonly Target[];
  readonly #groups: readonly Channel[];
  #state: State = "opening";
  #sent = 0;
  #storedInGroup = 0;
  /** Stanzas sent since stream management is on, and for each of them which message it was; 0 for others. */
  #stanzas = 0;
  readonly #messageOf = new Int32Array(stanzaMask + 1);
  #handledByServer = 0;
  /** Stanzas that came, and how many of them the server has been told of. */
  #handled = 0;
  #acked = 0;
  #isAsked = false;
  #presences = 0;

  constructor(port: number, login: PeerLogin, events: PeerEvents) {
    super(port);
    this.#login = login;
    this.#events = events;
    this.#groups = [...login.reads, ...login.writes].filter(({ kind }) => kind === "group");
    this.#targets = login.writes.map(({ kind, name }) =>
      kind === "group"
        ? { isGroup: true, head: `<message to='${name}@${roomHost}' type='groupchat' id='` }
        : { isGroup: false, head: `<message to='${name}@${xmppHost}' type='chat' id='` },
    );
  }

  /** The server asks until it has heard of everything. */
  get hasAckedAll(): boolean {
    return this.#acked === this.#handled;
  }

  send(to: number, body: Buffer): void {
    const { isGroup, head } = this.#targets[to] as Target;
    const n = ++this.#sent;
    writeAll(this, [bytesOf(`${head}${n}'><body>`), xmlText(body), messageEnd]);
    // A room answers by itself, once it has stored the message.
    if (isGroup) return;
    this.#count(n);
    // After each of them: a server that is asked once for a window of messages answers once, after the last.
    this.write(ask);
  }

  ack(): void {}

  protected override opened(): void {
    this.#openStream();
  }

  protected override closed(reason: string): void {
    this.#events.lost(reason);
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const next = elementEnd(bytes, at, end);
      if (next < 0) break;
      this.#element(bytes, at, next);
      at = next;
    }
    return at;
  }

  /** One answer for all that one read has brought. */
  protected override settled(): void {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#acked = this.#handled;
    this.#say(`<a xmlns='urn:xmpp:sm:3' h='${this.#acked}'/>`);
  }

  #element(bytes: Buffer, start: number, end: number): void {
    if (beginsWith(bytes, start, end, tags.message)) return this.#message(bytes, start, end);
    if (beginsWith(bytes, start, end, tags.answer)) return this.#answered(bytes, start, end);
    if (beginsWith(bytes, start, end, tags.request)) {
      this.#isAsked = true;
      return;
    }
    if (beginsWith(bytes, start, end, tags.presence)) return this.#presence(bytes, start, end);
    if (beginsWith(bytes, start, end, tags.head) || beginsWith(bytes, start, end, tags.declaration)) return;
    this.#step(bytes, start, end);
  }

  #step(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString("utf8", start, end);
    if (this.#state === "ready" && text.startsWith("<iq")) {
      this.#handled++;
      return;
    }
    const expected: Partial<Record<State, string>> = {
      opening: "<stream:features",
      authenticating: "<success",
      reopening: "<stream:features",
      binding: "<iq",
      managing: "<enabled",
    };
    const tag = expected[this.#state];
    if (tag === undefined || !text.startsWith(tag)) return this.end(`${this.#state}: ${text.slice(0, 300)}`);
    const { user } = this.#login;
    switch (this.#state) {
      case "opening": {
        this.#state = "authenticating";
        const secret = Buffer.from(`\0${user}\0${xmppPassword}`).toString("base64");
        return this.#say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${secret}</auth>`);
      }
      case "authenticating":
        this.#state = "reopening";
        return this.#openStream();
      case "reopening":
        this.#state = "binding";
        return this.#say(
          `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`,
        );
      case "binding":
        this.#state = "managing";
        return this.#say("<enable xmlns='urn:xmpp:sm:3'/>");
      default:
        return this.#enter();
    }
  }

  /** Presence makes the server send what comes; the server echoes it, and a room answers with its own. */
  #enter(): void {
    this.#state = "entering";
    this.#say("<presence/>");
    this.#count(0);
    for (const { name } of this.#groups) {
      this.#say(
        `<presence to='${name}@${roomHost}/${this.#login.user}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
      );
      this.#count(0);
    }
  }

  #presence(bytes: Buffer, start: number, end: number): void {
    this.#handled++;
    if (this.#state !== "entering") return;
    if (this.#isError(bytes, start, end)) return this.end(bytes.toString("utf8", start, end));
    if (this.#isFromMe(bytes, start, end)) this.#presences++;
    if (this.#presences < this.#groups.length + 1) return;
    this.#state = "ready";
    this.#events.ready();
  }

  #message(bytes: Buffer, start: number, end: number): void {
    this.#handled++;
    if (this.#isError(bytes, start, end)) return this.end(bytes.toString("utf8", start, end));
    const body = find(bytes, start, end, tags.body);
    // The subject of a room.
    if (body < 0) return;
    const at = body + bodyBytesBefore;
    if (this.#groups.length > 0 && this.#isFromMe(bytes, start, end))
      return this.#events.stored(++this.#storedInGroup);
    if (this.#login.reads.length > 0) this.#events.message(senderOf(bytes, at), numberOf(bytes, at));
  }

  #answered(bytes: Buffer, start: number, end: number): void {
    if (!attribute(bytes, start, end, tags.handled, value)) return;
    const handled = digitsFrom(bytes, value.start);
    while (this.#handledByServer < handled) {
      const n = this.#messageOf[++this.#handledByServer & stanzaMask] as number;
      if (n > 0) this.#events.stored(n);
    }
  }

  /** A stanza has been written: message `n` of ours, or 0. */
  #count(n: number): void {
    this.#messageOf[++this.#stanzas & stanzaMask] = n;
  }

  #isFromMe(bytes: Buffer, start: number, end: number): boolean {
    if (!attribute(bytes, start, end, tags.from, value)) return false;
    const from = bytes.toString("latin1", value.start, value.end);
    return from.endsWith(`/${this.#login.user}`) || from === `${this.#login.user}@${xmppHost}/${resource}`;
  }

  #isError(bytes: Buffer, start: number, end: number): boolean {
    const tagEnd = bytes.indexOf(">", start);
    return (
      find(bytes, start, Math.min(tagEnd, end), tags.error) >= 0 ||
      find(bytes, start, Math.min(tagEnd, end), tags.errorQuoted) >= 0
    );
  }

  #openStream(): void {
    this.#say(
      `<?xml version='1.0'?><stream:stream to='${xmppHost}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
  }

  #say(text: string): void {
    this.write(bytesOf(text));
  }
}
