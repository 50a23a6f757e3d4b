import { directConversationId } from "@hongyan/protocol";
import { Reader } from "../../load/reader.ts";
import { Run } from "../../load/run.ts";
import { frameCode, idOf, SendWriter, seqOfSendOk, typeOf } from "../../wire/frame-bytes.ts";
import type { Channel, PeerClient, PeerEvents, PeerLogin } from "../peer-client.ts";
import { type HongyanPlace, tellMessage } from "./hongyan-message.ts";

function conversationOf({ user }: PeerLogin, channel: Channel | undefined): string {
  if (channel === undefined) return user;
  return channel.kind === "group" ? channel.name : directConversationId(user, channel.name);
}

/** Ours, with the client of the plain bench: it acknowledges 64 messages at once, or what it has after 200 ms. */
export class HongyanClient extends Reader implements PeerClient {
  readonly #events: PeerEvents;
  readonly #login: PeerLogin;
  readonly #writer: SendWriter;

  constructor({ port, transport, trust }: HongyanPlace, login: PeerLogin, events: PeerEvents) {
    const { index, user, reads, writes } = login;
    // The conversation with a partner has two inboxes; its name comes from the one that is written to.
    const conversation = conversationOf(login, writes[0] ?? reads.find(({ kind }) => kind === "group"));
    super({ transport, port }, { user, device: `d${index}` }, trust, new Run(), conversation);
    this.#events = events;
    this.#login = login;
    this.#writer = new SendWriter(conversation, `d${index}`, 0);
  }

  send(_to: number, body: Buffer): void {
    this.#writer.writeBody(this.connection, body);
  }

  release(): void {
    this.connection.release();
  }

  close(): void {
    this.connection.close();
  }

  protected override refused(reason: string): void {
    this.#events.lost(reason);
  }

  protected override ready(): void {
    this.#events.ready();
  }

  /** Where two write to each other, neither the first push nor the first answer need have seq 1. */
  protected override begins(firstSeq: number): number {
    return this.#login.writes[0]?.kind === "inbox" ? 0 : firstSeq - 1;
  }

  protected override message(bytes: Buffer, start: number): void {
    tellMessage(this.#events, bytes, start);
  }

  protected override other(bytes: Buffer, start: number, end: number): void {
    if (typeOf(bytes, start) !== frameCode.sendOk)
      return this.refused(`unexpected frame ${typeOf(bytes, start)} of ${end - start} bytes`);
    this.see(seqOfSendOk(bytes, start));
    this.#events.stored(idOf(bytes, start));
  }
}
