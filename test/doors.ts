/**
 * The doors of the server, each as the same bare client: frames in, frames out, nothing automatic. Tests decide
 * what is acknowledged, repeated or lost.
 */
import { connect as connectTcp, type Socket } from "node:net";
import {
  type BadFrame,
  type Command,
  decodeText,
  encodeFrame,
  encodeText,
  type Frame,
  FrameReader,
  jsonCodec,
  messagePackCodec,
  readFrames,
  type UnknownFrame,
} from "@hongyan/protocol";
import { WebSocket } from "ws";

/** Where a server listens; a held connection asks with every request. */
export interface Address {
  readonly httpUrl: string;
  readonly wsUrl: string;
  readonly tcpPort: number;
}

/** One live transport: what a door gives to a `WireClient`. */
export interface Wire {
  send(frames: readonly Command[]): void;
  /** Cuts the line without a goodbye. */
  cut(): void;
}

export interface WireEvents {
  frame(frame: Frame | UnknownFrame): void;
  closed(): void;
}

export interface Door {
  readonly name: string;
  open(address: Address, events: WireEvents): Promise<Wire>;
}

const sink = (events: WireEvents) => ({
  frame: ({ frame }: { frame: Frame | UnknownFrame }) => events.frame(frame),
  bad: (error: BadFrame) => {
    throw error;
  },
});

function webSocket(name: string, encode: (frame: Command) => string | Uint8Array): Door {
  return {
    name,
    open: (address, events) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(address.wsUrl);
        socket.on("message", (data: Buffer, isBinary: boolean) => {
          if (isBinary) readFrames(data, sink(events));
          else events.frame(decodeText(data.toString()));
        });
        socket.on("error", reject);
        socket.on("close", () => events.closed());
        socket.on("open", () =>
          resolve({
            send: (frames) => {
              for (const frame of frames) socket.send(encode(frame));
            },
            cut: () => socket.terminate(),
          }),
        );
      }),
  };
}

const tcp: Door = {
  name: "tcp",
  open: (address, events) =>
    new Promise((resolve, reject) => {
      const socket: Socket = connectTcp(address.tcpPort, "127.0.0.1");
      const reader = new FrameReader(sink(events));
      socket.on("data", (chunk: Buffer) => reader.push(chunk));
      socket.on("error", reject);
      socket.on("close", () => events.closed());
      socket.on("connect", () =>
        resolve({
          send: (frames) =>
            void socket.write(Buffer.concat(frames.map((frame) => encodeFrame(frame, messagePackCodec)))),
          cut: () => socket.destroy(),
        }),
      );
    }),
};

/** A held connection: posts go up one after another, polls or an event stream bring frames down. */
function held(name: string, isBinary: boolean, isStream: boolean): Door {
  return {
    name,
    open: async (address, events) => {
      const abort = new AbortController();
      let id: string | undefined;
      const url = () => `${address.httpUrl}/v1/connections${id === undefined ? "" : `/${id}`}`;
      let after = 0;
      let posts: Promise<unknown> = Promise.resolve();
      let over = false;
      const end = () => {
        if (over) return;
        over = true;
        abort.abort();
        events.closed();
      };
      const post = async (frames: readonly Command[]) => {
        if (over) return;
        const response = await fetch(url(), {
          method: "POST",
          headers: { "content-type": isBinary ? "application/octet-stream" : "application/json" },
          body: isBinary
            ? Buffer.concat(frames.map((frame) => encodeFrame(frame, messagePackCodec)))
            : `[${frames.map(encodeText).join()}]`,
          signal: abort.signal,
        });
        if (!response.ok) return end();
        if (id !== undefined) return;
        const { connection } = (await response.json()) as { connection: string };
        id = connection;
        void (isStream ? listen() : poll()).catch(end);
      };
      const poll = async () => {
        while (!over) {
          const response = await fetch(`${url()}?after=${after}`, { signal: abort.signal });
          if (!response.ok) return end();
          if (isBinary) {
            const bytes = new Uint8Array(await response.arrayBuffer());
            after = Number(response.headers.get("hongyan-after") ?? after);
            readFrames(bytes, sink(events));
          } else {
            const answer = (await response.json()) as { after: number; frames: unknown[] };
            after = answer.after;
            for (const frame of answer.frames) events.frame(decodeText(JSON.stringify(frame)));
          }
        }
      };
      const listen = async () => {
        const response = await fetch(`${url()}/stream?after=${after}`, { signal: abort.signal });
        let text = "";
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          text += Buffer.from(chunk).toString("utf8");
          for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
            const lines = text.slice(0, end).split("\n");
            text = text.slice(end + 2);
            const data = lines
              .filter((line) => line.startsWith("data:"))
              .map((line) => line.slice(5).trimStart());
            if (data.length > 0) events.frame(decodeText(data.join("\n")));
          }
        }
        end();
      };
      return {
        send: (frames) => {
          posts = posts.then(() => post(frames)).catch(end);
        },
        cut: end,
      };
    },
  };
}

/** Every door, each in the encodings that it has. */
export const doors: readonly Door[] = [
  webSocket("websocket", (frame) => encodeFrame(frame, messagePackCodec)),
  webSocket("websocket with json frames", (frame) => encodeFrame(frame, jsonCodec)),
  webSocket("websocket in text mode", encodeText),
  tcp,
  held("long poll", false, false),
  held("long poll with binary frames", true, false),
  held("event stream", false, true),
];
