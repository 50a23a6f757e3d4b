import { connect, errors, type NatsConnection } from "@nats-io/transport-node";
import { BrokerError } from "./broker-error.ts";
import { connectionOptions, type NatsOptions, urls } from "./options.ts";

/** Less is no NATS that anybody runs, and too little for events. */
const messageBytesMin = 16 * 1024;

/** Connects to the first server that answers. Rejects with `BrokerError`. */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const wanted = await connectionOptions(options);
  const where = urls(options).join(", ");
  let nats: NatsConnection;
  try {
    nats = await connect(wanted);
  } catch (error) {
    throw asBrokerError(error, where);
  }
  const bytes = nats.info?.max_payload ?? messageBytesMin;
  if (bytes >= messageBytesMin) return nats;
  await nats.close();
  throw new BrokerError(
    "refused",
    `NATS at ${where} takes messages of ${bytes} bytes only: set its max_payload to ${messageBytesMin} or more`,
  );
}

function asBrokerError(error: unknown, where: string): BrokerError {
  const { message } = error as Error;
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return new BrokerError("refused", `NATS at ${where} refuses these credentials: ${message}`, error);
  const reason = error instanceof errors.TimeoutError ? "no answer in time" : message;
  return new BrokerError("unreachable", `cannot connect to NATS at ${where}: ${reason}`, error);
}
