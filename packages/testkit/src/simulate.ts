import { compare, doubleSession, unrest } from "./checkers/convergence.ts";
import { drawPlan } from "./plan/draw.ts";
import { everything, type Mask } from "./plan/mask.ts";
import type { Plan } from "./plan/plan.ts";
import { plantNamed } from "./plants/plants.ts";
import type { Objection } from "./world/judge.ts";
import { perform } from "./world/perform.ts";
import { World } from "./world/world.ts";

/** Virtual time that a world may take to come to rest after its faults have stopped. */
const restMsMax = 240_000;
/** How long an old session of a device may live on beside the repair of events, once nothing is lost any more. */
const replaceMsMax = 5_000;
/** How long it must stay quiet: late copies of frames may still be on their way. */
const quietMs = 3_000;

export interface RunOptions {
  readonly plant?: string | undefined;
  readonly mask?: Mask | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly seed: number;
  readonly objection: Objection | undefined;
  /** Whether the objection came from the look at the end: it needs the whole run, and not a step less or more. */
  readonly inTheEnd: boolean;
  readonly steps: number;
  readonly plan: Plan;
  readonly messages: number;
  /** Virtual milliseconds. */
  readonly durationMs: number;
}

/** One seed from its beginning to rest, or to the first objection. */
export async function simulate(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const mask = options.mask ?? everything;
  const plan = drawPlan(seed, mask);
  const plant = options.plant === undefined ? undefined : plantNamed(options.plant);
  const world = new World(plan, plant);
  world.trace = options.trace;
  try {
    const inTheEnd = await live(world, mask.steps ?? Number.POSITIVE_INFINITY);
    let messages = 0;
    for (const [, log] of world.ledger.logs()) messages += log.length;
    return {
      seed,
      objection: world.objection,
      inTheEnd,
      steps: world.scheduler.steps,
      plan,
      messages,
      durationMs: world.scheduler.now,
    };
  } finally {
    world.close();
  }
}

/** Whether it came to the end: to rest, or to where it should have come to rest. */
async function live(world: World, stepsMax: number): Promise<boolean> {
  const { plan, scheduler, judge } = world;
  await settleIn(world, stepsMax);
  const begin = scheduler.now;
  plan.devices.forEach((planned, index) => {
    scheduler.after(planned.startsAtMs, () => world.devices[index]?.start());
  });
  for (const action of plan.actions) scheduler.after(action.atMs, () => perform(world, action));
  await world.run(begin + plan.durationMs, stepsMax);
  world.heal();
  const deadline = scheduler.now + restMsMax;
  let quietSince: number | undefined;
  while (judge.objection === undefined && scheduler.steps < stepsMax) {
    await world.run(scheduler.now + 500, stepsMax);
    if (judge.objection !== undefined || scheduler.steps >= stepsMax) return false;
    const reason = unrest(world) ?? doubleSession(world, 0);
    const doubled = doubleSession(world, replaceMsMax + plan.repairEveryMs);
    if (doubled !== undefined) {
      judge.object("liveness", doubled);
      return true;
    }
    if (reason !== undefined) {
      quietSince = undefined;
      if (scheduler.now < deadline) continue;
      judge.object("liveness", `${restMsMax / 1000} s after the last fault ${reason}`);
      return true;
    }
    quietSince ??= scheduler.now;
    if (scheduler.now - quietSince < quietMs) continue;
    await compare(world);
    return true;
  }
  return false;
}

/** Before the plan begins: users with names, and the groups. */
async function settleIn(world: World, stepsMax: number): Promise<void> {
  const { plan, server, scheduler, judge } = world;
  server.start();
  await world.run(1_000, stepsMax, () => server.isUp);
  let open = 0;
  const made = (work: Promise<unknown>): void => {
    open++;
    work.then(
      () => open--,
      (error: unknown) => judge.object("crash", `the world could not be set up: ${String(error)}`),
    );
  };
  for (const { domain, user } of plan.devices) {
    const backend = server.backend(domain);
    if (backend !== undefined) made(backend.putUser({ user, name: `${user}@${domain}` }));
  }
  for (const { domain, conversation, open: isOpen, members } of plan.groups) {
    const backend = server.backend(domain);
    const roles = members.map((user, i) => ({
      user,
      role: i === 0 ? ("owner" as const) : ("member" as const),
    }));
    if (backend !== undefined)
      made(
        backend.createConversation({
          conversation,
          name: `${conversation}@${domain}`,
          open: isOpen,
          members: roles,
        }),
      );
  }
  await world.run(scheduler.now + 60_000, stepsMax, () => open === 0);
}
