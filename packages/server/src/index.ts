/** Hongyan inside your own process: `const server = await createServer({ data: "./data" }); await server.listen();` */

export type { Token } from "./auth/tokens.ts";
export type { DomainSecrets, Domains } from "./config/domains.ts";
export { ConfigurationError } from "./config/resolve.ts";
export type { Config, ConfigInput } from "./config/schema.ts";
export type { Address } from "./doors.ts";
export { StartError } from "./process/start-error.ts";
export { createServer, type Parts, type Server, type SignInLink } from "./server.ts";
