import { type Claims, claimsOf, tokenIn } from "./claims.ts";

export interface Account extends Claims {
  readonly token: string;
}

/** The part of `Storage` that is used; a browser may refuse it (private windows, blocked cookies). */
export type KeyValues = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

const tabKey = "hongyan.token";
const accountPrefix = "hongyan.account.";
const signedOutKey = "hongyan.signed-out";

/** Under this name an account keeps its things in this browser: two people who share it do not meet. */
export function accountKey({ domain, user }: Claims): string {
  return `${domain}/${user}`;
}

/**
 * Who is signed in. The tab's own token is in the session storage, so that two tabs can be two people; the last
 * token of each account is in the local storage, so that a new tab can continue without a link.
 */
export class Accounts {
  readonly #tab: KeyValues;
  readonly #browser: KeyValues;

  constructor(tab: KeyValues, browser: KeyValues) {
    this.#tab = tab;
    this.#browser = browser;
  }

  /** The account of this tab: from the fragment of the address, from before a reload, or the only one remembered. */
  current(fragment: string, now: number): Account | undefined {
    const given = fragment.includes("token=") ? tokenIn(fragment) : undefined;
    if (given !== undefined) return this.signIn(given);
    const kept = accountOf(read(this.#tab, tabKey));
    if (kept !== undefined) return kept;
    const usable = this.remembered().filter((account) => account.expiresAt > now);
    return usable.length === 1 && usable[0] !== undefined ? this.signIn(usable[0].token) : undefined;
  }

  signIn(token: string): Account | undefined {
    const account = accountOf(token);
    if (account === undefined) return undefined;
    write(this.#tab, tabKey, token);
    write(this.#browser, accountPrefix + accountKey(account), token);
    return account;
  }

  /** The account leaves this browser with all its tabs; what it has here stays, the token does not. */
  signOut(account: Account): void {
    this.drop(account);
    // Written and taken away again: the other tabs hear of it by their storage event, see `isSignedOut`.
    write(this.#browser, signedOutKey, accountKey(account));
    remove(this.#browser, signedOutKey);
  }

  /** This tab is nobody's any more and the token is gone. Other tabs may be signed in with a better one. */
  drop(account: Account): void {
    remove(this.#tab, tabKey);
    this.forget(account);
  }

  forget(account: Account): void {
    remove(this.#browser, accountPrefix + accountKey(account));
  }

  /** Leaves the account of this tab without forgetting it. */
  leave(): void {
    remove(this.#tab, tabKey);
  }

  remembered(): readonly Account[] {
    const found: Account[] = [];
    try {
      for (let index = 0; index < this.#browser.length; index++) {
        const key = this.#browser.key(index);
        if (key === null || !key.startsWith(accountPrefix)) continue;
        const account = accountOf(read(this.#browser, key));
        if (account !== undefined) found.push(account);
      }
    } catch {
      return [];
    }
    return found.sort((one, other) => (one.user < other.user ? -1 : 1));
  }
}

/** What another tab has done to the storage of the browser was to sign this account out. */
export function isSignedOut(
  { key, newValue }: Pick<StorageEvent, "key" | "newValue">,
  account: Claims,
): boolean {
  return key === signedOutKey && newValue === accountKey(account);
}

function accountOf(token: string | undefined): Account | undefined {
  const claims = token === undefined ? undefined : claimsOf(token);
  return token === undefined || claims === undefined ? undefined : { ...claims, token };
}

function read(storage: KeyValues, key: string): string | undefined {
  try {
    return storage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(storage: KeyValues, key: string, value: string): void {
  try {
    storage.setItem(key, value);
  } catch {
    // Full or refused: the sign-in lasts as long as the page.
  }
}

function remove(storage: KeyValues, key: string): void {
  try {
    storage.removeItem(key);
  } catch {
    // Refused: there was nothing to remove.
  }
}
