import type { NetworkHints } from "../ports.ts";

/** What a browser says about the network, and about pages that slept. Undefined outside of pages. */
export function browserHints(): NetworkHints | undefined {
  if (typeof window === "undefined" || typeof document === "undefined") return undefined;
  return {
    watch: (hint) => {
      const online = (): void => hint("online");
      const offline = (): void => hint("offline");
      const visible = (): void => {
        if (document.visibilityState === "visible") hint("wake");
      };
      window.addEventListener("online", online);
      window.addEventListener("offline", offline);
      document.addEventListener("visibilitychange", visible);
      return () => {
        window.removeEventListener("online", online);
        window.removeEventListener("offline", offline);
        document.removeEventListener("visibilitychange", visible);
      };
    },
  };
}
