import type { Client, ClientSettings, LocalMessage, Message } from "../../src/api.ts";
import { createClientOn } from "../../src/create-client-on.ts";
import type { NetworkHints, Storage, TabPorts, Transport } from "../../src/ports.ts";
import { MemoryStorage } from "../../src/storage/memory-storage.ts";
import { FakeClock, FakeRandom } from "./fake-clock.ts";
import { FakeNetwork } from "./fake-network.ts";
import { FakeServer } from "./fake-server.ts";

export interface Person {
  readonly client: Client;
  readonly network: FakeNetwork;
  readonly storage: Storage;
  /** Everything that was handed to the application. */
  readonly seen: Message[];
  readonly sent: LocalMessage[];
  readonly failed: LocalMessage[];
  readonly errors: Error[];
  /** Texts handed to the application, of one conversation. */
  texts(conversation: string): string[];
}

export interface PersonOptions {
  readonly storage?: Storage;
  readonly settings?: Partial<ClientSettings>;
  readonly token?: string | (() => Promise<string>);
  readonly device?: string;
  readonly tabs?: TabPorts;
  readonly hints?: NetworkHints;
  readonly transports?: readonly Transport[];
  readonly onMessage?: (message: Message) => void | Promise<void>;
}

const utf8 = new TextDecoder();

export function textOf({ body }: { body: Uint8Array }): string {
  return utf8.decode(body);
}

/** A clock, a server, and people with a network of their own. */
export class World {
  readonly clock = new FakeClock();
  readonly server = new FakeServer();
  #seed = 1;

  /** A client that is not started. */
  person(user: string, options: PersonOptions = {}): Person {
    this.server.tokens.set(`token-${user}`, user);
    const network = new FakeNetwork(this.server);
    const { storage = new MemoryStorage(), token = `token-${user}`, device, settings } = options;
    const { tabs, hints, transports = [network] } = options;
    const client = createClientOn(
      { clock: this.clock, random: new FakeRandom(this.#seed++), storage, transports, tabs, hints },
      { token, device, settings },
    );
    const seen: Message[] = [];
    const sent: LocalMessage[] = [];
    const failed: LocalMessage[] = [];
    const errors: Error[] = [];
    client.on("message", (message) => {
      const working = options.onMessage?.(message);
      if (working === undefined) return void seen.push(message);
      return working.then(() => void seen.push(message));
    });
    client.on("sent", (message) => sent.push(message));
    client.on("failed", (message) => failed.push(message));
    client.on("error", (error) => errors.push(error));
    const texts = (conversation: string): string[] =>
      seen.filter((message) => message.conversation === conversation).map(textOf);
    return { client, network, storage, seen, sent, failed, errors, texts };
  }

  /** A client that is live. */
  async live(user: string, options: PersonOptions = {}): Promise<Person> {
    const person = this.person(user, options);
    await person.client.start();
    await this.clock.until(() => person.client.state.status === "live", `${user} is live`);
    return person;
  }

  /** The program ends without a word: nothing it still does has an effect. */
  crash(person: Person): void {
    person.network.rule = () => 0;
    person.network.cut();
    person.network.isDown = true;
  }
}
