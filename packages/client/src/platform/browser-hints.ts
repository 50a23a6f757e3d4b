import type { NetworkHints } from "../ports.ts";

/** What a browser says about the network, and about pages that slept, or go away. Undefined outside of pages. */
export function browserHints(): NetworkHints | undefined {
  if (typeof window === "undefined" || typeof document === "undefined") return undefined;
  return {
    watch: (hint) => {
      const online = (): void => hint("online");
      const offline = (): void => hint("offline");
      const visible = (): void => {
        if (document.visibilityState === "visible") hint("wake");
      };
      const leave = (): void => hint("leave");
      const back = ({ persisted }: PageTransitionEvent): void => {
        if (persisted) hint("wake");
      };
      window.addEventListener("pagehide", leave);
      window.addEventListener("pageshow", back);
      window.addEventListener("online", online);
      window.addEventListener("offline", offline);
      document.addEventListener("visibilitychange", visible);
      return () => {
        window.removeEventListener("pagehide", leave);
        window.removeEventListener("pageshow", back);
        window.removeEventListener("online", online);
        window.removeEventListener("offline", offline);
        document.removeEventListener("visibilitychange", visible);
      };
    },
  };
}
