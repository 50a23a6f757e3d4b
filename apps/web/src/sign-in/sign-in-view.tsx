import { useState } from "react";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { Logo } from "../parts/logo.tsx";
import type { Strings } from "../text/strings.ts";
import type { Account } from "./accounts.ts";

/** Why somebody is here who wanted to be elsewhere. */
export type SignInProblem = "none" | "malformed" | "expired" | "refused";

export interface SignInSnapshot {
  readonly problem: SignInProblem;
  readonly remembered: readonly Account[];
}

export interface SignInActions {
  /** A link or a token as it was pasted. */
  signIn(text: string): SignInProblem;
  forget(account: Account): void;
}

export function SignInView({
  snapshot,
  actions,
  strings,
}: {
  snapshot: SignInSnapshot;
  actions: SignInActions;
  strings: Strings;
}) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState(snapshot.problem);
  const { signIn } = strings;
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <div className="sign-in-brand">
          <Logo size={64} />
          <h1>{strings.appName}</h1>
          <p>{strings.tagline}</p>
        </div>
        {snapshot.remembered.length > 0 && (
          <section className="people-section" aria-label={signIn.remembered}>
            <h3>{signIn.remembered}</h3>
            <ul>
              {snapshot.remembered.map((account) => (
                <li key={account.token} className="person-with-button">
                  <button
                    type="button"
                    className="person"
                    onClick={() => setProblem(actions.signIn(account.token))}
                  >
                    <Avatar id={account.user} name={account.user} size="small" />
                    <span className="person-name">
                      <bdi>{signIn.asUser(account.user, account.domain)}</bdi>
                    </span>
                  </button>
                  <button
                    type="button"
                    className="icon-button"
                    data-tiny=""
                    aria-label={signIn.forget(account.user)}
                    title={signIn.forget(account.user)}
                    onClick={() => actions.forget(account)}
                  >
                    <Icon name="close" size={16} />
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setProblem(actions.signIn(text));
          }}
        >
          <p className="sign-in-lead">{signIn.lead}</p>
          <label className="field">
            <span>{signIn.field}</span>
            <input
              value={text}
              placeholder={signIn.placeholder}
              autoComplete="off"
              spellCheck={false}
              aria-invalid={problem !== "none"}
              aria-describedby="sign-in-problem"
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          <p id="sign-in-problem" className="form-failure" role="alert">
            {problem === "none" ? "" : signIn[problem]}
          </p>
          <button type="submit" className="button" data-wide="" disabled={text.trim() === ""}>
            {signIn.submit}
          </button>
        </form>
        <p className="sign-in-hint">
          {signIn.hint} <code>{signIn.command}</code>
          {signIn.hintAfter} <code>{`${location.origin}/#token=TOKEN`}</code>
        </p>
      </div>
    </main>
  );
}
