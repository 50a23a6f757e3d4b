import type { ClientSettings } from "../api.ts";
import type { Clock, Transport } from "../ports.ts";
import type { TransportChoice } from "./transport-choice.ts";

/** While a fallback carries the connection, looks now and then whether the preferred transport can be opened again. */
export class Upgrade {
  readonly #clock: Clock;
  readonly #settings: ClientSettings;
  readonly #transports: readonly Transport[];
  readonly #choice: TransportChoice;
  /** The preferred transport works: the connection should move. */
  readonly #ready: () => void;
  #cancel: (() => void) | undefined;

  constructor(
    clock: Clock,
    settings: ClientSettings,
    transports: readonly Transport[],
    choice: TransportChoice,
    ready: () => void,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#transports = transports;
    this.#choice = choice;
    this.#ready = ready;
  }

  connected(transport: string): void {
    this.stop();
    if (transport === this.#transports[0]?.name) return;
    this.#cancel = this.#clock.setTimer(this.#settings.websocketAgainAfterMs, () => this.#look(transport));
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(transport: string): void {
    let isDone = false;
    const end = (): void => {
      isDone = true;
      cancelTimer();
      trial?.close();
    };
    const trial = this.#transports[0]?.open({
      opened: () => {
        if (isDone) return;
        end();
        this.#choice.prefer();
        this.#ready();
      },
      received: () => undefined,
      closed: () => {
        if (isDone) return;
        end();
        this.connected(transport);
      },
    });
    const cancelTimer = this.#clock.setTimer(this.#settings.connectTimeoutMs, () => {
      if (isDone) return;
      end();
      this.connected(transport);
    });
    this.#cancel = end;
  }
}
