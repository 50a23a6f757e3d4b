import { createRoot } from "react-dom/client";
import "../../src/styles/index.css";
import { Drafts } from "../../src/chat/drafts.ts";
import { SignedIn } from "../../src/page/signed-in.tsx";
import { memoryStorage } from "../../src/sign-in/browser-storage.ts";
import { SignInView } from "../../src/sign-in/sign-in-view.tsx";
import { stringsOf } from "../../src/text/strings.ts";
import { fakeClient } from "./fake-client.ts";
import { scene } from "./scenes.ts";

const parameters = new URLSearchParams(location.search);
const strings = stringsOf([parameters.get("lang") ?? "en-GB"]);
const element = document.getElementById("root");
if (element === null) throw new Error("no #root");
const root = createRoot(element);
if (parameters.get("scene") === "sign-in") {
  const remembered = [
    { user: "alice", domain: "demo", expiresAt: 0, token: "1" },
    { user: "bob", domain: "demo", expiresAt: 0, token: "2" },
  ];
  root.render(
    <SignInView
      strings={strings}
      snapshot={{ problem: "none", remembered: parameters.has("remembered") ? remembered : [] }}
      actions={{ signIn: () => "malformed", forget: () => undefined }}
    />,
  );
} else {
  const data = scene(parameters.get("scene") ?? "", parameters.get("state") ?? "live");
  const drafts = new Drafts(memoryStorage(), data.user);
  if (data.chats.length > 0) drafts.set("alice:lin", "我再看看");
  root.render(
    <SignedIn
      client={fakeClient(data)}
      user={data.user}
      drafts={drafts}
      strings={strings}
      actions={{ signOut: () => undefined, signInAgain: () => undefined }}
    />,
  );
}
