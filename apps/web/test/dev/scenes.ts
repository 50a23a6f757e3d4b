/** People and messages to look at: everyday ones, and those that break a layout. */
import type { ConnectionState, Conversation, MessageStatus, ShownMessage } from "@hongyan/client";
import type { FakeChat, FakeData } from "./fake-client.ts";

const self = "alice";
const day = 86_400_000;
const names: Record<string, string> = {
  alice: "Alice Martin",
  bob: "Bob Okafor",
  chen: "陈思远",
  lin: "林晓",
  dana: "Dana Weiss",
  emre: "Emre Yılmaz",
  fatima: "فاطمة الزهراء",
  grace: "Grace O’Neill",
  hugo: "Hugo Lindqvist",
  ivan: "Иван Петров",
  long: "Maximiliana Konstantinopolitanska-Oberwiesenthal-Schmidt the Third",
};

interface Line {
  from: string;
  text: string;
  at: number;
  status?: MessageStatus;
  type?: string;
}

const now = Date.now();
const today = new Date(now).setHours(0, 0, 0, 0);
const at = (daysAgo: number, hour: number, minute: number) =>
  Math.min(today - daysAgo * day + hour * 3_600_000 + minute * 60_000, now);

function chat(
  conversation: Partial<Conversation> & { conversation: string },
  lines: readonly Line[],
  read = lines.length,
): FakeChat {
  const messages: ShownMessage[] = lines.map((line, index) => {
    const status = line.status ?? (line.from === self ? "read" : "received");
    return {
      key: `${conversation.conversation} ${index}`,
      conversation: conversation.conversation,
      seq: status === "queued" || status === "failed" ? 0 : index + 1,
      from: line.from,
      time: line.at,
      clientMessageId: `m${index}`,
      messageType: line.type,
      body: new Uint8Array(),
      text: line.text,
      own: line.from === self && line.type === undefined,
      system: line.type !== undefined,
      status: line.type === undefined ? status : "received",
      failure:
        status === "failed"
          ? { code: "too_large", message: "The body is larger than 65536 bytes." }
          : undefined,
    };
  });
  const shown = messages.filter((message) => !message.system);
  const last = shown[shown.length - 1];
  const peer = conversation.conversation.includes(":")
    ? conversation.conversation.split(":").find((user) => user !== self)
    : undefined;
  const users = Object.keys(names);
  return {
    conversation: {
      kind: peer === undefined ? "group" : "direct",
      name: undefined,
      peer,
      open: false,
      role: peer === undefined ? "owner" : "member",
      members: peer === undefined ? users.length : 2,
      first: 1,
      head: lines.length,
      read,
      unread: shown.filter((message) => message.seq > read && !message.own).length,
      delivered: 0,
      seen: 0,
      last: last && {
        from: last.from,
        time: last.time,
        messageType: undefined,
        text: last.text,
        status: last.status,
      },
      activityAt: last?.time ?? 0,
      ...conversation,
    },
    messages,
    members: users.map((user, index) => ({
      user,
      name: names[user],
      role: index === 0 ? "owner" : index === 1 ? "admin" : "member",
      since: 1,
    })),
    receipts: users.slice(1).map((user, index) => ({
      conversation: conversation.conversation,
      user,
      delivered: index < 7 ? lines.length : 2,
      read: index < 4 ? lines.length : 1,
    })),
  };
}

const zalgo = `H̷̢̛̺e̶̡̛͔ ̵c̴̨̛o̸̢m̷̨e̵s̴ ${"Z̵̡̢̛̗̘̙̜̝̞̟̠̣̤̥̦̩̪̫̬̭̮̯̰̱̲̳̹̺̻̼͇͈͉͍͎͓͔͕͖͙͚̀́̂̃̄̅̆̇̈̉̊̋̌̍̎̏̐̑̒̓̔̽̾̿̀́͂̓̈́͆͊͋͌͐͑͒͗͛".repeat(4)}`;

const walk: readonly Line[] = [
  { from: "dana", text: "{}", at: at(2, 9, 0), type: "hongyan.created" },
  {
    from: "dana",
    text: JSON.stringify({ users: ["alice", "chen", "lin", "bob"], by: "dana" }),
    at: at(2, 9, 0),
    type: "hongyan.added",
  },
  {
    from: "dana",
    text: "Who is in for a walk on Sunday? The weather should hold until the afternoon ☀️",
    at: at(2, 9, 2),
  },
  { from: "chen", text: "算我一个!", at: at(2, 9, 15) },
  { from: "chen", text: "我们几点出发?", at: at(2, 9, 15) },
  { from: "alice", text: "Me too. I can drive, there is room for four.", at: at(2, 9, 20), status: "read" },
  { from: "bob", text: "Count me in 👍", at: at(2, 11, 41) },
  {
    from: "dana",
    text: JSON.stringify({ name: "Sunday walk", by: "dana" }),
    at: at(1, 18, 3),
    type: "hongyan.renamed",
  },
  {
    from: "dana",
    text: "Route: https://example.org/routes/lake-and-forest?distance=14km (about four hours with a break).",
    at: at(1, 18, 4),
  },
  { from: "lin", text: "我带水果和茶。谁带点心?", at: at(1, 18, 30) },
  {
    from: "alice",
    text: "I’ll bring sandwiches.\n\n- cheese\n- hummus\n- one with egg for Bob",
    at: at(1, 19, 2),
    status: "read",
  },
  { from: "bob", text: "You are the best.", at: at(1, 19, 4) },
  { from: "bob", text: "🥪", at: at(1, 19, 4) },
  {
    from: "alice",
    text: "See you at eight at the station then. Parking is behind the bakery.",
    at: at(0, 7, 30),
    status: "delivered",
  },
  { from: "lin", text: "好的,八点车站见", at: at(0, 7, 41) },
  { from: "dana", text: "Perfect!", at: at(0, 7, 42) },
  { from: "dana", text: "I will be there ten minutes earlier to get coffee.", at: at(0, 7, 42) },
];

const bob: readonly Line[] = [
  { from: "bob", text: "Did the migration go through last night?", at: at(1, 8, 58) },
  { from: "alice", text: "Yes, all green. 3 million rows in 41 seconds.", at: at(1, 9, 1), status: "read" },
  {
    from: "alice",
    text: "I had to raise the batch size first:\n```ts\nconst batch = { messages: 500, bytesMax: 256 * 1024 };\nawait store.append(batch.messages, { durable: true }); // one fsync per batch, not per message\n```",
    at: at(1, 9, 2),
    status: "read",
  },
  { from: "bob", text: "Nice. And `npm run bench` still passes?", at: at(1, 9, 6) },
  {
    from: "alice",
    text: "It does. Twenty times the peers that write to disk.",
    at: at(1, 9, 7),
    status: "read",
  },
  {
    from: "bob",
    text: "I’ll write it up for the team. Can you send me the figures, and the command so that people can repeat it on their own machines? Last time three of them asked.",
    at: at(0, 10, 12),
  },
  { from: "alice", text: "Sure: see www.example.org/figures.", at: at(0, 10, 15), status: "read" },
  {
    from: "alice",
    text: "The command is `npm run bench -- direct`.",
    at: at(0, 10, 15),
    status: "delivered",
  },
  { from: "alice", text: "Anything else?", at: at(0, 10, 16), status: "stored" },
  { from: "alice", text: "I’m on the train, the tunnel comes soon", at: now, status: "queued" },
];

const hostile: readonly Line[] = [
  {
    from: "ivan",
    text: "<img src=x onerror=alert(1)><script>alert(2)</script> & <b>not bold</b>",
    at: at(0, 8, 0),
  },
  {
    from: "fatima",
    text: "مرحبا! هل أنت قادم إلى الاجتماع غدًا؟ أحضر معك التقرير من فضلك، سنبدأ في الساعة التاسعة.",
    at: at(0, 8, 1),
  },
  {
    from: "alice",
    text: "שלום, כן, אני בא. נתראה מחר בשעה תשע בבוקר במשרד.",
    at: at(0, 8, 2),
    status: "read",
  },
  { from: "ivan", text: `\u202eevil text turned around\u202c and ${zalgo}`, at: at(0, 8, 3) },
  {
    from: "ivan",
    text: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(4),
    at: at(0, 8, 4),
  },
  {
    from: "long",
    text: "javascript:alert(1) https://bank.example@evil.example http://ok.example/(a)_b. ftp://no.example",
    at: at(0, 8, 5),
  },
  { from: "long", text: "👩‍👩‍👧‍👦", at: at(0, 8, 5) },
  { from: "ivan", text: "word ".repeat(2_000), at: at(0, 8, 6) },
  { from: "alice", text: "This one is far too long for the server.", at: at(0, 8, 7), status: "failed" },
];

function many(count: number): Line[] {
  const texts = [
    "Good morning!",
    "ok",
    "Shall we move the meeting to Thursday? I have a conflict on Wednesday and would rather not rush it.",
    "好的",
    "https://example.org/doc/42",
    "Fine with me.\nSame place?",
    "😀",
  ];
  return Array.from({ length: count }, (_, index) => ({
    from: index % 3 === 0 ? "alice" : "grace",
    text: `${index + 1}: ${texts[(index * 7) % texts.length]}`,
    at: now - (count - index) * 1_800_000,
  }));
}

const live: ConnectionState = { status: "live", transport: "websocket", session: "s1" };

const states: Record<string, ConnectionState> = {
  live,
  connecting: { status: "connecting", attempt: 1, transport: "websocket" },
  waiting: { status: "waiting", attempt: 3, retryAt: now + 17_000, reason: "closed" },
  replaced: { status: "stopped", reason: "replaced", message: "" },
  expired: { status: "stopped", reason: "token_expired", message: "" },
};

export function scene(name: string, state: string): FakeData {
  const chats = [
    chat({ conversation: "walk", name: "Sunday walk" }, walk, 14),
    chat({ conversation: "alice:bob" }, bob),
    chat({ conversation: "odd", name: "Odd things 🧪" }, hostile),
    chat({ conversation: "alice:grace" }, many(3_000), 2_960),
    chat({ conversation: "alice:chen" }, [
      { from: "alice", text: "明天见!", at: at(1, 21, 0), status: "read" },
    ]),
    chat({ conversation: "alice:fatima" }, [
      { from: "fatima", text: "شكرا جزيلا لك على المساعدة اليوم", at: at(3, 12, 0) },
    ]),
    chat({ conversation: "alice:lin" }, [{ from: "lin", text: "照片我晚上发给你", at: at(4, 20, 0) }], 0),
    chat({ conversation: "design", name: "Design review" }, [
      {
        from: "hugo",
        text: "I moved the buttons by two pixels. Nobody will notice, everybody will feel it.",
        at: at(5, 16, 0),
      },
    ]),
    chat({ conversation: "alice:long" }, [
      {
        from: "long",
        text: "A rather long message from somebody with a rather long name, to see where it ends",
        at: at(9, 16, 0),
      },
    ]),
    chat({ conversation: "alice:emre" }, [
      { from: "alice", text: "Happy birthday! 🎉", at: at(40, 9, 0), status: "delivered" },
    ]),
  ];
  const users = Object.entries(names).map(([user, display]) => ({ user, name: display }));
  const online = ["bob", "chen", "fatima"];
  return { user: self, users, online, chats: name === "empty" ? [] : chats, state: states[state] ?? live };
}
