import { shortened } from "../config/shortened.ts";
import { errorCodes, StartError } from "../process/start-error.ts";

/** What went wrong with a store or the file at `path`, in one line. */
export function copyError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof StartError) return error;
  const file = shortened(path);
  const codes = errorCodes(error);
  if (codes.includes("ENOSPC"))
    return new StartError(`the disk is full: ${file} could not be written, and nothing of it is left`, error);
  if (codes.includes("ENOENT")) return new StartError(`${file} is not there, or its directory is not`, error);
  if (codes.includes("EISDIR")) return new StartError(`${file} is a directory`, error);
  if (["EACCES", "EPERM", "EROFS"].some((code) => codes.includes(code)))
    return new StartError(`${file} may not be read or written by ${thisUser()}`, error);
  if (codes.includes("EEXIST"))
    return new StartError(
      `${file} or ${file}.part is there already: an export overwrites nothing. The second is of one that is under way, or was killed.`,
      error,
    );
  return new StartError(error.message, error);
}

/** Root goes on as the owner of the data, so that the number is what explains it. */
function thisUser(): string {
  return process.getuid === undefined ? "this user" : `the user with the id ${process.getuid()}`;
}
