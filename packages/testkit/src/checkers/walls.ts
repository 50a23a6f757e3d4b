import type { Frame, UnknownFrame } from "@hongyan/protocol";
import type { Ledger } from "../ledger/ledger.ts";
import { markersIn } from "../ledger/marker.ts";
import type { Bench, LinkView, Observations } from "./observations.ts";

/**
 * G10: nothing of one domain reaches a session of another. Users and conversations have equal ids in all domains;
 * bodies and names say whose they are.
 */
export class WallsChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;

  constructor(bench: Bench, ledger: Ledger) {
    this.#bench = bench;
    this.#ledger = ledger;
  }

  down(link: LinkView, frame: Frame | UnknownFrame): void {
    if (frame.type === "unknown") return;
    const { domain } = link.device;
    if ("domain" in frame && frame.domain !== domain)
      this.#report(link, frame, `names the domain ${frame.domain}`);
    if (frame.body !== undefined) {
      const named = /"name":"[^"]*@([^"@]*)"/.exec(Buffer.from(frame.body).toString("latin1"))?.[1];
      if (named !== undefined && named !== domain) this.#report(link, frame, `carries a name of ${named}`);
      for (const marker of markersIn(frame.body)) {
        if (marker.domain !== domain) this.#report(link, frame, `carries a body of ${marker.domain}`);
      }
    }
    if (
      "name" in frame &&
      frame.name !== undefined &&
      frame.type !== "error" &&
      !frame.name.endsWith(`@${domain}`)
    ) {
      this.#report(link, frame, `carries the name ${frame.name}`);
    }
    if (frame.type !== "conversation") return;
    const { conversation, head } = frame;
    const isBeyond = () => head > this.#ledger.head(domain, conversation);
    if (!isBeyond()) return;
    this.#bench.doubt(() => {
      if (isBeyond())
        this.#report(
          link,
          frame,
          `says that ${conversation} has ${head} entries; here it has ${this.#ledger.head(domain, conversation)}`,
        );
    });
  }

  #report(link: LinkView, frame: Frame, what: string): void {
    const { domain, user, device } = link.device;
    this.#bench.object("G10", `${frame.type} to ${domain}/${user}/${device} ${what}`);
  }
}
