// Opens the page in Chromium, looks at what it shows, and breaks a node with it.
//
// Arguments: what the simulator printed on its first line (JSON), the folder with the modules of Node, and, if wanted, a folder
// for pictures. Prints what it saw.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const announced = JSON.parse(process.argv[2]);
const WebSocket = createRequire(process.argv[3] + "/")("ws");
const pictures = process.argv[4];
const profile = mkdtempSync(join(tmpdir(), "finesse-sim-page-"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
const browser = spawn("chromium", [...flags, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });

function end(code) {
  browser.once("exit", () => {
    rmSync(profile, { recursive: true, force: true });
    process.exit(code);
  });
  browser.kill("SIGKILL");
}
setTimeout(() => {
  console.error("the page took too long");
  end(1);
}, 90_000);

async function main() {
  const address = await new Promise((resolve) => {
    let text = "";
    browser.stderr.on("data", (data) => {
      text += data;
      const found = text.match(/ws:\/\/127\.0\.0\.1:(\d+)/);
      if (found) resolve(found[1]);
    });
  });
  const pages = await (await fetch(`http://127.0.0.1:${address}/json`)).json();
  const socket = new WebSocket(pages.find((page) => page.type === "page").webSocketDebuggerUrl);
  await new Promise((resolve) => socket.once("open", resolve));
  let count = 0;
  const waiting = new Map(), errors = [];
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.id) waiting.get(message.id)(message.result);
    if (message.method === "Runtime.exceptionThrown") errors.push(message.params.exceptionDetails.text);
  });
  const ask = (method, params = {}) => new Promise((resolve) => {
    waiting.set(++count, resolve);
    socket.send(JSON.stringify({ id: count, method, params }));
  });
  const value = async (expression) => (await ask("Runtime.evaluate", { expression, returnByValue: true })).result.value;
  const until = async (expression) => {
    while (!(await value(expression))) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const picture = async (name, dark, width) => {
    if (!pictures) return;
    await ask("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
    await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
    const { data } = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
    writeFileSync(join(pictures, name), Buffer.from(data, "base64"));
  };
  const click = (text, within = "document") =>
    value(`[...${within}.querySelectorAll("button")].find((one) => one.textContent === ${JSON.stringify(text)}).click()`);

  await ask("Runtime.enable");
  await ask("Page.enable");
  await ask("Page.navigate", { url: announced.control });
  await until(`document.querySelectorAll("#nodes .card").length === ${announced.nodes.length}`);
  await until(`document.querySelector("#agents").textContent.includes("1001")`);
  console.log("agents", await value(`document.querySelectorAll("#agents tr").length > 0`));
  await click("call", `document.querySelector("#agents tr")`);
  await until(`document.querySelector("#calls").textContent.includes("ALERTING")`);
  console.log("call", await value(`document.querySelectorAll("#calls tr td")[1].textContent`));
  await click("Take down");
  await until(`document.querySelector("#nodes .card").textContent.includes("Bring back")`);
  console.log("tomcat", await value(`document.querySelectorAll("#nodes .row span")[1].textContent`));
  await picture("light.png", false, 1200);
  await picture("dark.png", true, 1200);
  await picture("narrow.png", false, 420);
  await click("Bring back");
  await until(`!document.querySelector("#nodes .card").textContent.includes("Bring back")`);
  await click("hang up");
  await until(`document.querySelector("#calls").textContent === "No calls"`);
  await value(`byId("command").value = "slow"; byId("command").onchange(); byId("any").elements.node.value = "1"; byId("any").elements.ms.value = "70"; byId("any").requestSubmit()`);
  await until(`document.querySelector("#nodes").textContent.includes("REST answers 70 ms later")`);
  await value(`byId("any").elements.node.value = "9"; byId("any").requestSubmit()`);
  await until(`document.querySelector("#said").textContent.includes("the number of a node")`);
  console.log("errors", errors.length);
  end(0);
}
main().catch((error) => {
  console.error(error);
  end(1);
});
