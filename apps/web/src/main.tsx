import { createClient } from "@hongyan/client";
import { createRoot } from "react-dom/client";
import "./styles/index.css";
import { Drafts } from "./chat/drafts.ts";
import { SignedIn } from "./page/signed-in.tsx";
import { type Account, Accounts, accountKey, isSignedOut } from "./sign-in/accounts.ts";
import { browserStorage } from "./sign-in/browser-storage.ts";
import { tokenIn } from "./sign-in/claims.ts";
import { isRefused } from "./sign-in/refused.ts";
import { type SignInProblem, SignInView } from "./sign-in/sign-in-view.tsx";
import { stringsOf } from "./text/strings.ts";

/** The rows of a conversation that are in the document: enough for a screen and its surroundings, however long it is. */
const settings = { viewMessagesFirst: 60, viewMessagesStep: 60, viewMessagesMax: 300 };

const strings = stringsOf(navigator.languages);
const kept = browserStorage("localStorage");
const accounts = new Accounts(browserStorage("sessionStorage"), kept);
const element = document.getElementById("root");
if (element === null) throw new Error("the page has no #root");
const root = createRoot(element);
document.documentElement.lang = strings.locale;
document.title = strings.appName;

const fragment = location.hash;
const isMalformed = fragment.includes("token=") && tokenIn(fragment) === undefined;
const account = isMalformed ? undefined : accounts.current(fragment, Date.now());
removeToken();
// A sign-in link opened in a tab that already shows the page changes only the fragment: it is opened as if in a new one.
addEventListener("hashchange", () => {
  if (location.hash.includes("token=")) location.reload();
});
if (account === undefined) showSignIn(isMalformed ? "malformed" : "none");
else if (account.expiresAt <= Date.now()) leaveExpired();
else showPage(account);

/** Nobody who looks at the address bar, the history or a screenshot shall find a token there. */
function removeToken(): void {
  if (location.hash.includes("token=")) history.replaceState(null, "", location.pathname + location.search);
}

function leaveExpired(): void {
  accounts.leave();
  showSignIn("expired");
}

function showSignIn(problem: SignInProblem): void {
  root.render(
    <SignInView
      key={accounts.remembered().length}
      strings={strings}
      snapshot={{ problem, remembered: accounts.remembered() }}
      actions={{
        signIn(text) {
          const token = tokenIn(text);
          const chosen = token === undefined ? undefined : accounts.signIn(token);
          if (chosen === undefined) return "malformed";
          if (chosen.expiresAt <= Date.now()) {
            accounts.drop(chosen);
            return "expired";
          }
          location.reload();
          return "none";
        },
        forget(forgotten) {
          accounts.forget(forgotten);
          showSignIn("none");
        },
      }}
    />,
  );
}

function showPage(signedIn: Account): void {
  const drafts = new Drafts(kept, accountKey(signedIn));
  addEventListener("pagehide", () => drafts.flush());
  const client = createClient({ token: signedIn.token, platform: "web", settings });
  const leave = () => {
    drafts.flush();
    void client.stop().finally(() => location.replace(location.pathname));
  };
  addEventListener("storage", (event) => {
    if (!isSignedOut(event, signedIn)) return;
    accounts.leave();
    leave();
  });
  const end = client.connection.subscribe(() => {
    if (!isRefused(client.state, client.conversations.snapshot)) return;
    end();
    accounts.drop(signedIn);
    void client.stop();
    showSignIn("refused");
  });
  void client.start();
  root.render(
    <SignedIn
      client={client}
      user={signedIn.user}
      drafts={drafts}
      strings={strings}
      actions={{
        signOut() {
          accounts.signOut(signedIn);
          leave();
        },
        signInAgain() {
          drafts.flush();
          accounts.drop(signedIn);
          location.replace(location.pathname);
        },
      }}
    />,
  );
}
