import { spawn } from "node:child_process";

/** One check: a program that succeeds or does not. */
export interface Step {
  readonly name: string;
  /** What it is called on the command line. */
  readonly key: string;
  readonly command: readonly string[];
  /** Why it cannot run here. Said aloud: a check that was skipped is not one that passed. */
  readonly skip?: string | undefined;
}

const secondsMax = 120;

/** Runs the steps two at a time. True where all of them succeeded. */
export async function runSteps(steps: readonly Step[], cwd: string): Promise<boolean> {
  const began = Date.now();
  const waiting = [...steps];
  const failed: string[] = [];
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      if (!(await runStep(step, cwd))) failed.push(step.name);
    }
  };
  await Promise.all([worker(), worker()]);
  const seconds = (Date.now() - began) / 1000;
  const late = seconds > secondsMax ? `, more than the ${secondsMax} s that a check may take` : "";
  if (failed.length > 0) console.error(`\nfailed: ${failed.join(", ")} (${seconds.toFixed(1)} s${late})`);
  else console.log(`\neverything holds (${seconds.toFixed(1)} s${late})`);
  return failed.length === 0;
}

function runStep({ name, command, skip }: Step, cwd: string): Promise<boolean> {
  if (skip !== undefined) {
    console.log(`– ${name}: SKIPPED, ${skip}`);
    return Promise.resolve(true);
  }
  const began = Date.now();
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => output.push(Buffer.from(String(error))));
    child.on("close", (code) => {
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? "✔" : "✖"} ${name} (${seconds} s)`);
      const text = Buffer.concat(output).toString().trimEnd();
      if (code !== 0) console.error(text);
      else for (const note of text.match(/^note: .*$/gm) ?? []) console.log(`  ${note}`);
      resolve(code === 0);
    });
  });
}
