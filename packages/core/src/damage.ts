/** Whether a read was rejected because the store has lost entries in its way (see `Store`). */
export function isDamaged(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "damaged";
}
