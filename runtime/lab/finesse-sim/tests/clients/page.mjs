// Opens the page in Chromium, looks at what it shows, and does with it whatever a person can do.
//
// Arguments: what the simulator printed on its first line (JSON), the folder with the modules of Node, and, if wanted, a folder
// for pictures. NODE_EXTRA_CA_CERTS names the authority. Prints what it saw.

import { createRequire } from "node:module";
import { join } from "node:path";
import { inChromium } from "./chromium.mjs";

const announced = JSON.parse(process.argv[2]);
const pictures = process.argv[4];
const modules = createRequire(process.argv[3] + "/");
globalThis.WebSocket ??= modules("ws");
const { client, xml } = await import(modules.resolve("@xmpp/client"));

await inChromium(process.argv[3], [], async ({ errors, value, until, type, press, go, picture }) => {
  const pictured = (name, dark, width) => pictures && picture(join(pictures, name), dark, width);
  const card = (number) => `document.querySelectorAll("#nodes .card")[${number - 1}]`;
  const click = (text, within = "document") =>
    value(`[...${within}.querySelectorAll("button")].find((one) => one.textContent === ${JSON.stringify(text)} && !one.hidden).click()`);
  const state = async () => (await fetch(announced.control + "/api/state")).json();
  // What the simulator itself says of a node, once it says so.
  const becomes = async (node, what, wanted) => {
    for (;;) {
      const found = what((await state()).nodes[node - 1]);
      if (found === wanted) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  await go(announced.control);
  await until(`document.querySelectorAll("#nodes .card").length === ${announced.nodes.length}`);
  await until(`document.querySelector("#agents").textContent.includes("1001")`);
  console.log("agents", await value(`document.querySelectorAll("#agents tr").length > 0`));

  await click("call", `document.querySelector("#agents tr")`);
  await until(`document.querySelector("#calls").textContent.includes("ALERTING")`);
  console.log("call", await value(`document.querySelectorAll("#calls tr td")[1].textContent`));
  await click("hang up");
  await until(`document.querySelector("#calls").textContent === "No calls"`);
  await value(`byId("dial").elements.from.value = "0301234"; byId("dial").elements.to.value = document.querySelectorAll("#agents tr td")[3].textContent; byId("dial").elements.variables.value = "{"; byId("dial").requestSubmit()`);
  await until(`document.querySelector("#said").textContent.includes("call variables are JSON")`);
  await value(`byId("dial").elements.variables.value = '{"callVariable1": "x"}'; byId("dial").requestSubmit()`);
  await until(`document.querySelector("#calls").textContent.includes("0301234")`);

  // A session on the second node, which is dropped from the page.
  const { host, xmpp: { ws } } = announced.nodes[1];
  const session = client({ service: ws, domain: host, resource: "desk", username: "1002", password: announced.agents.password });
  session.on("error", () => {});
  await session.start();
  await session.send(xml("presence"));
  session.reconnect.stop();
  await until(`document.querySelector("#agents").textContent.includes("desk on node 2")`);
  await until(`${card(2)}.textContent.includes("1 session")`);

  await click("Take down", card(1));
  await until(`${card(1)}.textContent.includes("Bring back")`);
  console.log("tomcat", await value(`${card(1)}.querySelectorAll(".row span")[1].textContent`));

  // Every number of a node can be set, by Set or by Enter, and taken back; a card of another node is not touched.
  for (const [label, text, what] of [
    ["slow-tomcat-2", "70", (node) => node.slow.tomcat],
    ["slow-notification-2", "30", (node) => node.slow.notification],
    ["delay-events-ms-2", "5000", (node) => node.eventDelay],
    ["lose-events-percent-2", "50", (node) => node.eventLoss],
    ["clock-ms-2", "-180000", (node) => node.clock],
  ]) {
    const input = `byId(${JSON.stringify(label)})`;
    await value(`${input}.focus(); ${input}.select()`);
    await type(text);
    // The page asks once in a second what has changed: what is half typed stays.
    await value(`show()`);
    if (await value(`${input}.value`) !== text) throw new Error(`${label}: what was typed is gone`);
    if (label.startsWith("slow")) await click("Set", `${input}.form`);
    else await press("Enter", 13);
    await becomes(2, what, Number(text));
    await until(`${input}.form.classList.contains("on") && ${input}.value === ${JSON.stringify(text)}`);
    if (what((await state()).nodes[0]) !== 0) throw new Error(`${label}: the other node has it, too`);
  }
  console.log("settings", await value(`document.querySelectorAll(".setting.on").length`));
  await pictured("light.png", false, 1200);
  await pictured("dark.png", true, 1200);
  await pictured("narrow.png", false, 420);
  for (const label of ["slow-tomcat-2", "slow-notification-2", "delay-events-ms-2", "lose-events-percent-2", "clock-ms-2"]) {
    await click("Off", `byId("${label}").form`);
    await until(`byId("${label}").form.classList.contains("off") && byId("${label}").value === "0"`);
  }
  console.log("settings", await value(`document.querySelectorAll(".setting.on").length`));

  // Other clients may have sessions yet: over BOSH one that has gone is missed only after a while.
  await click("drop", `[...document.querySelectorAll("#agents div")].find((line) => line.textContent.startsWith("desk on node 2"))`);
  await until(`!document.querySelector("#agents").textContent.includes("desk on node 2")`);
  console.log("sessions", await value(`${card(2)}.querySelector("div").textContent`));

  await click("Bring back", card(1));
  await until(`!${card(1)}.textContent.includes("Bring back")`);
  await click("Begin maintenance", card(1));
  await until(`${card(1)}.textContent.includes("End maintenance")`);
  await click("End maintenance", card(1));
  await until(`!${card(1)}.textContent.includes("End maintenance")`);
  await click("hang up");
  await until(`document.querySelector("#calls").textContent === "No calls"`);

  await click("Send an event…", card(2));
  console.log("event", await value(`byId("command").value + " " + byId("any").elements.node.value + " " + document.activeElement.name`));
  await value(`byId("any").elements.payload.value = "<Update/>"; byId("any").requestSubmit()`);
  await until(`document.querySelector("#said").textContent.startsWith("inject-event")`);
  await value(`byId("command").value = "slow"; byId("command").onchange(); byId("any").elements.node.value = "9"; byId("any").elements.ms.value = "70"; byId("any").requestSubmit()`);
  await until(`document.querySelector("#said").textContent.includes("the number of a node")`);
  console.log("errors", errors.length);
});
