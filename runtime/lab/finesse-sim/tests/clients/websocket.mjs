// Signs in with xmpp.js over WebSocket, subscribes, and waits for an event: the notification service as a client of others sees it.
//
// Arguments: what the simulator printed on its first line (JSON), and the folder with the modules of Node. NODE_EXTRA_CA_CERTS
// names the authority. Prints what came.

import { createRequire } from "node:module";
import https from "node:https";

const announced = JSON.parse(process.argv[2]);
const modules = createRequire(process.argv[3] + "/");
// Node 20 has none of its own that is not an experiment; xmpp.js takes the one that is there when it is loaded.
globalThis.WebSocket ??= modules("ws");
const { client, xml } = await import(modules.resolve("@xmpp/client"));
const node = announced.nodes[0];
const password = announced.agents.password;
const user = "1003";

function put(path, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(node.rest + path, { method: "PUT", auth: `${user}:${password}` }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const patience = setTimeout(() => {
  console.error("nothing came");
  process.exit(1);
}, 60_000);

const xmpp = client({ service: node.xmpp.ws, domain: node.host, resource: "js", username: user, password });
xmpp.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
const event = new Promise((resolve) => {
  xmpp.on("stanza", (stanza) => {
    const items = stanza.getChild("event", "http://jabber.org/protocol/pubsub#event")?.getChild("items");
    if (items) resolve(items.getChild("item").getChild("notification", "urn:xmpp:push:0").text());
  });
});
const finesse = new Promise((resolve) => {
  xmpp.on("stanza", (stanza) => {
    if (stanza.is("presence") && stanza.attrs.from?.startsWith("finesse@")) resolve(stanza.attrs.type ?? "available");
  });
});

const jid = await xmpp.start();
await xmpp.send(xml("presence", {}, xml("priority", {}, "0")));
console.log("finesse", await finesse);
const subscribe = xml("subscribe", { node: "/finesse/api/SystemInfo", jid: jid.toString() });
const answer = await xmpp.iqCaller.request(
  xml("iq", { type: "set", to: `pubsub.${node.host}` }, xml("pubsub", "http://jabber.org/protocol/pubsub", subscribe)),
);
console.log("subscribed", answer.getChild("pubsub").getChild("subscription").attrs.subscription);
console.log("status", await put(`/finesse/api/User/${user}`, "<User><state>LOGIN</state><extension>2003</extension></User>"));
console.log("event", (await event).includes("<state>NOT_READY</state>"));
await xmpp.stop();
clearTimeout(patience);
