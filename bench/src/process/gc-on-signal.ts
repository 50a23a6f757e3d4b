/**
 * Preloaded into a process whose memory is measured (`--expose-gc --import`): SIGUSR2 collects its garbage, so that
 * what is counted is what it holds and not when it last happened to clean up.
 */
const collect = (globalThis as { gc?: () => void }).gc;
process.on("SIGUSR2", () => {
  collect?.();
  collect?.();
});
