/** Libraries of the system that the pinned Node needs, and small systems do not have. */
import { installPackages } from "./debian.mjs";

const libraries = {
  "libatomic.so.1": { debian: "libatomic1", fedora: "libatomic" },
};

/** What the loader of programs said, if it was that a library is missing: its name. */
function missingLibrary(output) {
  return /error while loading shared libraries: (\S+?): cannot open/.exec(output)?.[1];
}

/**
 * Installs the library that a program could not be started without. False where that is not what failed; rejects with
 * what to do where it cannot be installed.
 */
export async function supplyLibrary(output) {
  const name = missingLibrary(output);
  if (name === undefined) return false;
  const known = libraries[name];
  if (known === undefined) throw new Error(`the pinned Node needs the system library ${name}`);
  const why = await installPackages([known.debian]);
  if (why === undefined) return true;
  throw new Error(
    `the pinned Node needs the system library ${name}; install it (Debian, Ubuntu: ${known.debian}; Fedora: ${known.fedora}) and begin again (${why})`,
  );
}
