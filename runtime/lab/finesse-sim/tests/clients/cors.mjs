// Pages of other origins in Chromium that ask REST and BOSH, with credentials: whether a browser lets them, by what the
// simulator says of it.
//
// Arguments: the simulator's program, and the folder with the modules of Node. Prints what pages may.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { inChromium } from "./chromium.mjs";

const [program, modules] = process.argv.slice(2);

// A page of an origin of its own: every port is another one.
function origin() {
  const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>desk</title>"));
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
}

// A simulator whose nodes say this of pages of other origins. It ends with this process, because its standard input does.
async function simulator(cors) {
  const child = spawn(program, ["--agents", "3", "--nodes", "1", "--cors", cors, "--password", "Tn8-simulated", "--verbose", "--end-with-stdin"], { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) return { announced: JSON.parse(line), end: () => child.stdin.end() };
  throw new Error("the simulator does not start");
}

// What one page sees: the status of each answer, or that the browser refuses to give it.
const desk = (announced) => `(async () => {
  const authorization = "Basic " + btoa("1001:" + ${JSON.stringify(announced.agents.password)});
  const rest = ${JSON.stringify(announced.nodes[0].rest)}, bosh = ${JSON.stringify(announced.nodes[0].xmpp.bosh)};
  const ask = async (url, options) => {
    try {
      const answer = await fetch(url, options);
      return answer.status + (await answer.text() ? " with text" : "");
    } catch (error) {
      return error.name;
    }
  };
  const user = rest + "/finesse/api/User/1001", credentials = "include";
  const found = {
    info: await ask(rest + "/finesse/api/SystemInfo", { credentials }),
    user: await ask(user, { credentials, headers: { authorization } }),
    login: await ask(user, {
      method: "PUT", credentials, headers: { authorization, "Content-Type": "application/xml", requestId: "r-1" },
      body: "<User><state>LOGIN</state><extension>2001</extension></User>",
    }),
    strange: await ask(user, { credentials, headers: { authorization, "X-Strange": "1" } }),
    bosh: await ask(bosh, {
      method: "POST", headers: { "Content-Type": "text/xml" },
      body: "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='${announced.nodes[0].host}' ver='1.6'/>",
    }),
  };
  return JSON.stringify(found);
})()`;

// Who is signed in, as the simulator knows it: nobody by a page that may not.
async function signedIn(announced) {
  const { agents } = await (await fetch(announced.control + "/api/state?all=true")).json();
  return agents.find((agent) => agent.agent === "1001").state !== "LOGOUT";
}

const [ours, theirs] = [await origin(), await origin()];
// The authority is the simulator's own, of which the browser knows nothing.
await inChromium(modules, ["--ignore-certificate-errors"], async ({ value, go }) => {
  for (const [cors, page, name] of [["all", ours, "all"], [ours, ours, "ours"], [ours, theirs, "theirs"], ["off", ours, "off"]]) {
    const { announced, end } = await simulator(cors);
    await go(page);
    console.log(name, await value(desk(announced)), await signedIn(announced));
    end();
  }
});
