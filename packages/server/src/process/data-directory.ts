/** The directory of everything that must survive. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { storeError } from "./start-error.ts";

/** Makes the directory where it is missing. Rejects with `StartError` where it cannot be written. */
export async function openDataDirectory(directory: string): Promise<void> {
  try {
    const { makeDirectory } = await import("@hongyan/store/embedded");
    await makeDirectory(resolve(directory), 0o700);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw storeError(error, directory);
  }
}
