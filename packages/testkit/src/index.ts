/** What tests use: the real server as a child process, and the simulated world. */
export { type LaunchedServer, type LaunchOptions, launchServer, signToken } from "./launcher.ts";
export { Person, Scenario, type ScenarioOptions, world } from "./scenario.ts";
