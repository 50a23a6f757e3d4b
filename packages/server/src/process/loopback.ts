import { networkInterfaces } from "node:os";

/** True for addresses that no other machine can reach. */
export function isLoopback(host: string): boolean {
  const address = plain(host);
  return address === "localhost" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

/** True where a peer with this address is on this machine: nobody else can answer under one of its addresses. */
export function isThisMachine(peer: string): boolean {
  const own = Object.values(networkInterfaces()).flat();
  return isLoopback(peer) || own.some((one) => one?.address === plain(peer));
}

function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/^::ffff:(?=\d)/, "");
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
