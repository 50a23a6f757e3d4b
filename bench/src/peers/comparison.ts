/**
 * The same scenarios against other servers and ours. The rounds alternate: every system once, then every system
 * again, so that what else happens on the machine does not fall on one of them.
 */
import type { Row } from "../row.ts";
import { type Absence, absence, rowsOf, type Sample } from "./sample.ts";
import type { PeerScenario } from "./scenario/scenario.ts";
import type { Peer, ScenarioName, System } from "./system/system.ts";

export interface ComparisonEffort {
  readonly isQuick: boolean;
  readonly rounds: number;
}

export interface Figures {
  readonly rows: Row[];
  readonly absences: Absence[];
}

/** A system that is there, and what was measured of it in one scenario. */
interface Contender {
  readonly system: System;
  readonly version: string;
  samples: Sample[];
  failure: string | undefined;
}

type Say = (line: string) => void;

/** Runs the scenarios one after another; `onFigures` gets everything so far after each of them. */
export async function compare(
  peers: readonly Peer[],
  scenarios: readonly PeerScenario[],
  effort: ComparisonEffort,
  say: Say,
  onFigures: (figures: Figures) => void,
): Promise<Figures> {
  const figures: Figures = { rows: [], absences: [] };
  const contenders = await install(peers, figures.absences, say);
  for (const scenario of scenarios) {
    const able = contenders.filter(({ system, version }) => {
      const reason = system.without?.[scenario.name];
      if (reason !== undefined) figures.absences.push(absence(scenario.name, system.name, version, reason));
      return reason === undefined;
    });
    await play(scenario, able, effort, say);
    for (const contender of able) conclude(scenario.name, contender, figures);
    onFigures(figures);
  }
  return figures;
}

/** What cannot be had becomes an absence. */
async function install(peers: readonly Peer[], absences: Absence[], say: Say): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const peer of peers) {
    try {
      await peer.install(say);
      const version = await peer.version();
      say(`${peer.name} ${version}`);
      for (const system of peer.systems) {
        const missing = await system.missing?.();
        if (missing === undefined) contenders.push({ system, version, samples: [], failure: undefined });
        else absences.push(absence("all", system.name, version, missing));
      }
    } catch (error) {
      const reason = `missing: ${reasonOf(error)}`;
      say(`${peer.name}: ${reason}`);
      for (const { name } of peer.systems) absences.push(absence("all", name, null, reason));
    }
  }
  return contenders;
}

async function play(
  scenario: PeerScenario,
  contenders: readonly Contender[],
  { rounds, isQuick }: ComparisonEffort,
  say: Say,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      // One that has failed would fail again, and cost a minute of waiting each time.
      if (contender.failure !== undefined) continue;
      say(`${scenario.name} ${round + 1}/${rounds}: ${contender.system.name}`);
      try {
        contender.samples.push(...(await playOnce(scenario, contender.system, isQuick)));
      } catch (error) {
        contender.failure = `failed in round ${round + 1}: ${reasonOf(error)}`;
        say(`${contender.system.name} ${contender.failure}`);
      }
    }
  }
}

async function playOnce(scenario: PeerScenario, system: System, isQuick: boolean): Promise<Sample[]> {
  const server = system.server(scenario.setup(isQuick));
  try {
    await server.start();
    return await scenario.measure(server, isQuick);
  } finally {
    await server.remove();
  }
}

function conclude(name: ScenarioName, contender: Contender, { rows, absences }: Figures): void {
  const { system, version, samples, failure } = contender;
  rows.push(...rowsOf(name, system, version, samples));
  if (failure !== undefined) absences.push(absence(name, system.name, version, failure));
  contender.samples = [];
  contender.failure = undefined;
}

function reasonOf(error: unknown): string {
  // The first line: a process of the bench answers with its stack.
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n    at ")[0] ?? text;
}
