import { useConnection } from "@hongyan/client/react";
import { useEffect, useState } from "react";
import { useNow, useOnline } from "../page/browser-state.ts";
import { type ConnectionNotice, connectionNotice } from "./connection-notice.ts";

/** A connection that comes back within this time is not worth a word. */
const patienceMs = 900;

export function useConnectionNotice(): ConnectionNotice {
  const state = useConnection();
  const online = useOnline();
  const now = useNow(state.status === "waiting" ? 500 : 0);
  const notice = connectionNotice(state, online, now);
  const passing = notice.kind === "connecting" || notice.kind === "reconnecting";
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    if (!passing) {
      setPatient(true);
      return;
    }
    const timer = setTimeout(() => setPatient(false), patienceMs);
    return () => clearTimeout(timer);
  }, [passing]);
  return passing && patient ? { kind: "none" } : notice;
}
