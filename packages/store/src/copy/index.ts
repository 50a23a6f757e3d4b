export { MismatchError } from "./comparison.ts";
export { checkDomainFile, exportDomain, importDomain, prefixOf } from "./domain.ts";
export { DomainFileError, type DomainHeader } from "./domain-file.ts";
export type { CopySource, CopyTarget } from "./items.ts";
export { MovableStore } from "./movable-store.ts";
export { finishMove, type Moved, type MovePhase, type MoveProgress, move } from "./move.ts";
export { compareMoved, isCopyOf, survey } from "./survey.ts";
export type { Tally } from "./tally.ts";
