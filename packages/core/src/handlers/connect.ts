import { type FrameNamed, isId, ProtocolError, protocolVersion, protocolVersionMin } from "@hongyan/protocol";
import type { Peer } from "../peer.ts";
import type { Identity } from "../ports.ts";

/** The first frame: who is it, is there room, and is it the device of a session that is still here. */
export function connect(peer: Peer, command: FrameNamed<"connect">): void {
  const { node } = peer;
  if (command.version < protocolVersionMin || command.version > protocolVersion) {
    peer.reject(
      command.id,
      new ProtocolError(
        "version_unsupported",
        `this server speaks version ${protocolVersionMin} to ${protocolVersion}`,
      ),
    );
    return peer.close("version_unsupported");
  }
  if (!isId(command.device) || (command.platform !== undefined && !isId(command.platform))) {
    peer.reject(
      command.id,
      new ProtocolError(
        "bad_request",
        "device and platform are 1 to 64 characters of A-Z a-z 0-9 _ . @ + = -",
      ),
    );
    return peer.close("bad_frame");
  }
  const retryAfterMs = node.admit();
  if (retryAfterMs > 0) {
    peer.reject(command.id, new ProtocolError("overloaded", "too many connections at once", retryAfterMs));
    return peer.close("overloaded", retryAfterMs);
  }
  peer.turn = node.sessions.nextTurn();
  node.handshakes.add(() => verify(peer, command));
}

function verify(peer: Peer, command: FrameNamed<"connect">): void {
  if (peer.isClosed) return;
  const { node } = peer;
  node.authenticator.verify(command.token).then(
    (identity) => welcome(peer, command, identity),
    (error: unknown) => {
      const refusal = node.asRefusal(error);
      peer.reject(command.id, refusal);
      peer.close(
        refusal.code === "token_expired"
          ? "token_expired"
          : refusal.code === "unauthorized"
            ? "unauthorized"
            : "internal",
      );
    },
  );
}

function welcome(peer: Peer, command: FrameNamed<"connect">, identity: Identity): void {
  if (peer.isClosed) return;
  const { node } = peer;
  const attached = node.sessions.attach(peer, identity, command.device, command.platform, command.resume);
  if (attached === undefined) return peer.close("replaced");
  const { session, resumed } = attached;
  peer.reply({
    type: "connect.ok",
    id: command.id,
    session: session.claimId,
    node: node.name,
    epoch: node.store.epoch,
    domain: identity.domain,
    user: identity.user,
    resumed,
    behind: session.behind,
    heartbeatMs: node.settings.heartbeatMs,
    time: node.clock.now(),
    bodyBytesMax: node.settings.bodyBytesMax,
  });
  if (session.behind) session.toldBehindMs = node.clock.now();
  node.journal.info("connected", {
    domain: identity.domain,
    user: identity.user,
    device: command.device,
    transport: peer.connection.transport,
    resumed,
  });
  peer.opened(session);
}
