#!/usr/bin/env python3
"""A complete Hongyan client over TCP, with the standard library only. docs/protocol.md explains every step.

    python3 chat.py --token TOKEN --state bob.json            reads lines "CONVERSATION TEXT" and sends them
    python3 chat.py --token TOKEN --state bob.json --until 3  ends after 3 messages of others and an empty outbox

Messages of others are printed as "CONVERSATION SEQ FROM: TEXT". Everything that must survive a crash (device,
positions, outbox) is in the state file: kill it at any time, start it again, and nothing is missing or sent twice.
Positions are kept every 0.2 s; what was printed since then is printed again after a crash, with the same seq.
The server is the one that CHAT_TCP_URL names, as tcp://127.0.0.1:7800, which is also the default.
"""
import argparse, json, os, random, secrets, select, socket, struct, sys, time, urllib.parse

CODES = {"connect": 1, "ping": 2, "send": 3, "ack": 4, "sync": 6, "history": 7, "list": 8, "disconnect": 19}
NAMES = {65: "connect.ok", 66: "ping.ok", 67: "send.ok", 68: "ack.ok", 70: "sync.ok", 71: "history.ok",
         72: "list.ok", 83: "disconnect.ok", 127: "error",
         128: "message", 129: "receipt", 130: "conversation", 133: "behind", 134: "drain", 135: "close"}
JSON = 0  # codec in the flags
LATER, REORDER, RENEW = {11, 12, 13, 15}, {10}, {5}  # retry advice by error code; all others: never


class Dead(Exception):
    """The connection is over; connect again after so many seconds (None: back off)."""
    def __init__(self, why, retry_after=None):
        super().__init__(why)
        self.retry_after = retry_after


class Stop(Exception):
    """Do not connect again."""


def printable(body):
    """One line of text. Bytes that are no UTF-8, and control characters, are escaped: they would command the terminal."""
    text = body.decode("utf-8", "backslashreplace")
    return "".join(c if " " <= c < "\x7f" or c > "\x9f" else ascii(c)[1:-1] for c in text)


def tcp_address(url):
    """Host and port of tcp://HOST:PORT."""
    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "tcp" and parts.hostname and parts.port and not parts.path.strip("/"):
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise Stop(f"CHAT_TCP_URL must be like tcp://127.0.0.1:7800, not {url!r}")


class Wire:
    """Frames over one TCP connection."""
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = self.heard_at = time.monotonic()

    def send(self, kind, id, fields, body=b""):
        block = json.dumps(fields, ensure_ascii=False).encode()
        header = struct.pack(">IBBHI", 8 + len(block) + len(body), CODES[kind], JSON, len(block), id)
        try:
            self.socket.sendall(header + block + body)
        except OSError as error:
            raise Dead(str(error))
        self.sent_at = time.monotonic()

    def receive(self, chunk):
        """The whole frames in what has arrived, as (name, id, fields, body)."""
        self.buffer += chunk
        self.heard_at = time.monotonic()
        while len(self.buffer) >= 4:
            (length,) = struct.unpack_from(">I", self.buffer)
            if len(self.buffer) < 4 + length:
                return
            code, flags, size, id = struct.unpack_from(">BBHI", self.buffer, 4)
            fields = json.loads(self.buffer[12:12 + size] or b"{}")
            body = self.buffer[12 + size:4 + length]
            self.buffer = self.buffer[4 + length:]
            if code in NAMES:  # frames of a newer server are ignored
                yield NAMES[code], id, fields, body


class State:
    """What survives: written to a new file, which then takes the place of the old one."""
    def __init__(self, path):
        self.path = path
        self.kept = {"device": "py-" + secrets.token_hex(8), "prefix": secrets.token_hex(6), "epoch": "",
                     "positions": {}, "counts": {}, "last": {}, "outbox": []}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.kept.update(json.load(file))

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.kept, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)


class Client:
    def __init__(self, options, address):
        self.options = options
        self.address = address
        self.state = State(options.state)
        self.kept = self.state.kept
        self.session = None
        self.received = 0
        self.input_open = True
        self.lines = b""

    # ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────

    def queue(self, lines):
        """Into the outbox first: from here on they are sent until the server has stored them."""
        messages = [self.numbered(*line) for line in lines]
        self.kept["outbox"] += messages
        self.state.save()
        for message in messages:
            self.transmit(message)

    def numbered(self, conversation, text):
        number = self.kept["counts"].get(conversation, 0) + 1
        message = {"conversation": conversation, "id": f"{self.kept['prefix']}:{number}",
                   "after": self.kept["last"].get(conversation), "text": text}
        self.kept["counts"][conversation] = number
        self.kept["last"][conversation] = message["id"]
        return message

    def transmit(self, message):
        fields = {"conversation": message["conversation"], "clientMessageId": message["id"]}
        if message["after"] is not None:
            fields["after"] = message["after"]
        self.command("send", fields, message["text"].encode(), message)

    def transmit_all(self):
        """From the earliest unanswered message on, in order. The answers to earlier transmissions still count."""
        for message in self.kept["outbox"]:
            self.transmit(message)
        self.resend_at = time.monotonic() + self.resend_delay * random.uniform(0.75, 1.25)
        self.resend_delay = min(60, self.resend_delay * 2)

    def stored(self, message, seq):
        if message in self.kept["outbox"]:
            self.kept["outbox"].remove(message)
            print(f"stored {message['conversation']} {seq}", file=sys.stderr, flush=True)
        self.resend_delay = 4
        self.arrived(message["conversation"], seq, None)

    def refused(self, message, error):
        if error["code"] in LATER:
            self.resend_at = time.monotonic() + error.get("retryAfterMs", 1000) / 1000
        elif error["code"] in REORDER:
            self.resend_at = time.monotonic() + 0.2
        elif message in self.kept["outbox"]:
            # It has failed for good: the message after it takes over its place in the chain.
            for other in self.kept["outbox"]:
                if other["conversation"] == message["conversation"] and other["after"] == message["id"]:
                    other["after"] = message["after"]
            if self.kept["last"].get(message["conversation"]) == message["id"]:
                self.kept["last"][message["conversation"]] = message["after"]
            self.kept["outbox"].remove(message)
            self.state.save()
            print(f"failed {message['conversation']} {error['name']}: {error['message']}", file=sys.stderr, flush=True)

    # ── Receiving ────────────────────────────────────────────────────────────────────────────────────────────

    def arrived(self, conversation, seq, message, complete=False):
        """An entry: a push, an item (`complete`: nothing readable lies before it), or our own, now stored."""
        position = self.kept["positions"].get(conversation)
        if position is None:
            if not complete and seq != 1:
                self.held.setdefault(conversation, {})[seq] = message
                return self.ask_list([conversation])
            position = seq - 1
        if seq > position + 1 and not complete:
            held = self.held.setdefault(conversation, {})
            if len(held) < 1000:
                held[seq] = message
            return self.ask_history(conversation)
        if seq > position:
            self.deliver(conversation, seq, message)
            held = self.held.get(conversation, {})
            while seq + 1 in held:
                seq += 1
                self.deliver(conversation, seq, held.pop(seq))
        for old in [old for old in self.held.get(conversation, {}) if old <= seq]:
            del self.held[conversation][old]
        self.moved.add(conversation)

    def deliver(self, conversation, seq, message):
        if message is not None and not message["messageType"].startswith("hongyan."):
            self.received += 1
            print(f"{conversation} {seq} {message['from']}: {message['text']}", flush=True)
        self.kept["positions"][conversation] = seq

    def acknowledge(self):
        """Kept first, then acknowledged: what the server forgets must be here."""
        self.ack_at = None
        self.state.save()
        moved, self.moved = sorted(self.moved), set()
        for at in range(0, len(moved), 400):
            self.command("ack", {"positions": {name: self.kept["positions"][name] for name in moved[at:at + 400]}})

    def ask_history(self, conversation):
        if conversation not in self.asked:
            self.asked.add(conversation)
            self.command("history", {"conversation": conversation, "after": self.kept["positions"][conversation]},
                         context=conversation)

    def ask_list(self, conversations=None, after=None):
        fields = {} if conversations is None else {"conversations": conversations}
        if after is not None:
            fields["after"] = after
        self.command("list", fields, context=conversations)

    def sync(self):
        """The next page; what the last one brought is acknowledged by it."""
        self.state.save()
        moved, self.moved = sorted(self.moved)[:400], set(sorted(self.moved)[400:])
        self.command("sync", {"positions": {name: self.kept["positions"][name] for name in moved}})

    # ── One connection ───────────────────────────────────────────────────────────────────────────────────────

    def command(self, kind, fields, body=b"", context=None):
        self.last_id += 1
        self.pending[self.last_id] = (kind, context)
        self.items[self.last_id] = 0
        self.wire.send(kind, self.last_id, fields, body)

    def connect(self):
        host, port = self.address
        print(f"connecting to {host} port {port}", file=sys.stderr, flush=True)
        self.wire = Wire(host, port)
        self.last_id, self.pending, self.items = 0, {}, {}
        self.live, self.heartbeat, self.ping_at = False, 30, None
        self.held, self.moved, self.asked, self.ack_at = {}, set(), set(), None
        self.resend_delay, self.resend_at = 4, None
        fields = {"version": 1, "token": self.options.token, "device": self.kept["device"], "platform": "python"}
        if self.session:
            fields["resume"] = self.session
        self.command("connect", fields)

    def handle(self, name, id, fields, body):
        if name == "close":
            code = fields["code"]
            if code >= 4100:
                raise Stop(f"{code} {fields['reason']}")
            raise Dead(fields["reason"], fields.get("retryAfterMs", 0) / 1000 or None)
        if name == "message":
            if id in self.items:
                self.items[id] += 1
            message = {"from": fields["from"], "messageType": fields.get("messageType") or "",
                       "text": printable(body)}
            self.arrived(fields["conversation"], fields["seq"], message, complete=id != 0)
        elif name == "conversation":
            if id in self.items:
                self.items[id] += 1
            self.kept["positions"].setdefault(fields["conversation"], fields["position"])
            for seq, message in sorted(self.held.pop(fields["conversation"], {}).items()):
                self.arrived(fields["conversation"], seq, message)
        elif name == "behind":
            self.sync()
        elif id in self.pending:
            self.answered(name, fields, *self.pending.pop(id), self.items.pop(id))

    def answered(self, name, fields, kind, context, items):
        if kind == "connect":
            if name == "error":
                raise Stop(fields["message"]) if fields["code"] not in LATER else Dead(fields["message"], fields.get("retryAfterMs", 0) / 1000)
            self.welcome(fields)
        elif kind == "send":
            self.stored(context, fields["seq"]) if name == "send.ok" else self.refused(context, fields)
        elif name == "error":
            raise Dead(f"{kind}: {fields['message']}")  # catching up begins anew
        elif kind == "list" and fields.get("next") and context is None:
            self.ask_list(after=fields["next"])
        elif kind == "list" and context is None:
            self.sync()
        elif kind == "sync":
            if items != fields["count"] or fields["more"]:
                self.sync()
            elif not self.live:
                self.go_live()
        elif kind == "history":
            self.asked.discard(context)
            if fields["more"]:
                self.ask_history(context)
        elif kind == "ping":
            self.ping_at = None

    def welcome(self, fields):
        self.session = fields["session"]
        self.heartbeat = fields["heartbeatMs"] / 1000
        if fields["epoch"] != self.kept["epoch"]:
            # Other data: positions mean nothing there, and the chains begin anew.
            self.kept.update(epoch=fields["epoch"], positions={}, last={})
            for message in self.kept["outbox"]:
                message["after"] = self.kept["last"].get(message["conversation"])
                self.kept["last"][message["conversation"]] = message["id"]
        print(f"connected as {fields['user']}", file=sys.stderr, flush=True)
        if fields["resumed"] and not fields["behind"]:
            self.go_live()
        else:
            self.ask_list()

    def go_live(self):
        self.live = True
        self.transmit_all()

    def read_input(self):
        chunk = os.read(0, 65536)
        self.input_open = chunk != b""
        self.lines += chunk
        *whole, self.lines = self.lines.split(b"\n")
        parts = [line.decode("utf-8", "replace").partition(" ") for line in whole]
        self.queue([(conversation, text) for conversation, _, text in parts if text])

    def done(self):
        enough = self.options.until is not None and self.received >= self.options.until
        return self.live and enough and not self.kept["outbox"] and not self.input_open and not self.moved and not self.pending

    def turn(self):
        readable, _, _ = select.select([self.wire.socket] + ([0] if self.input_open and self.live else []), [], [], 0.05)
        if self.wire.socket in readable:
            try:
                chunk = self.wire.socket.recv(65536)
            except OSError as error:
                raise Dead(str(error))
            if not chunk:
                raise Dead("the server has closed the connection")
            for frame in self.wire.receive(chunk):
                self.handle(*frame)
        if 0 in readable:
            self.read_input()
        now = time.monotonic()
        if self.moved and self.live:
            self.ack_at = self.ack_at or now + 0.2
            if now >= self.ack_at or len(self.moved) >= 64:
                self.acknowledge()
        if self.kept["outbox"] and self.live and self.resend_at and now >= self.resend_at:
            self.transmit_all()
        if now - self.wire.sent_at > self.heartbeat and self.ping_at is None:
            self.ping_at = now
            self.command("ping", {})
        if now - self.wire.heard_at > self.heartbeat * 2.5 or (self.ping_at and now - self.ping_at > 10):
            raise Dead("nothing was heard from the server")

    def run(self):
        attempt = 0
        while True:
            try:
                self.connect()
                while not self.done():
                    self.turn()
                    attempt = 0 if self.live else attempt
                self.command("disconnect", {})
                return
            except (Dead, OSError) as error:
                attempt += 1
                wait = getattr(error, "retry_after", None)
                wait = random.uniform(0, min(60, 2 ** attempt * 0.25)) if wait is None else wait
                print(f"offline ({error}), again in {wait:.1f} s", file=sys.stderr, flush=True)
                time.sleep(wait)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--token", required=True)
    parser.add_argument("--state", default="hongyan-client.json", help="file that keeps device, positions and outbox")
    parser.add_argument("--until", type=int, help="end after so many messages of others, when the outbox is empty")
    try:
        Client(parser.parse_args(), tcp_address(os.environ.get("CHAT_TCP_URL", "tcp://127.0.0.1:7800"))).run()
    except Stop as reason:
        sys.exit(f"stopped: {reason}")
    except KeyboardInterrupt:
        pass
