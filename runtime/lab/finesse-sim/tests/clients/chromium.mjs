// Chromium without a window, driven over its debugging protocol: what the tests of the page and of CORS have in common.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Runs a test in a browser with a fresh profile, and ends the process when it is over: 1 where it fails or takes too long.
//
// `modules` is the folder with the modules of Node; `flags` are further ones of the browser.
export async function inChromium(modules, flags, test) {
  const WebSocket = createRequire(modules + "/")("ws");
  const profile = mkdtempSync(join(tmpdir(), "finesse-sim-page-"));
  const always = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  // A group of its own, so that the browser's processes end with it.
  const options = { stdio: ["ignore", "ignore", "pipe"], detached: true };
  const browser = spawn("chromium", [...always, ...flags, "about:blank"], options);
  const end = (code) => {
    browser.once("exit", () => remove(profile, () => process.exit(code)));
    process.kill(-browser.pid, "SIGKILL");
  };
  setTimeout(() => {
    console.error("the browser took too long");
    end(1);
  }, 90_000);
  try {
    await test(await driven(browser, WebSocket));
    end(0);
  } catch (error) {
    console.error(error);
    end(1);
  }
}

// Whoever was killed may be at the end of a write: the folder is empty for good a moment later.
function remove(folder, then, attempts = 200) {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (error.code !== "ENOTEMPTY" || attempts === 0) throw error;
    setTimeout(remove, 50, folder, then, attempts - 1);
    return;
  }
  then();
}

async function driven(browser, WebSocket) {
  const port = await new Promise((resolve) => {
    let text = "";
    browser.stderr.on("data", (data) => {
      text += data;
      const found = text.match(/ws:\/\/127\.0\.0\.1:(\d+)/);
      if (found) resolve(found[1]);
    });
  });
  const pages = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
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
  // The value of an expression in the page, or of what it promises.
  const value = async (expression) => {
    const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  };
  const until = async (expression) => {
    while (!(await value(expression))) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await ask("Runtime.enable");
  await ask("Page.enable");
  return {
    // Errors that nobody in the page caught.
    errors,
    value,
    until,
    // Text typed where the focus is.
    type: (text) => ask("Input.insertText", { text }),
    press: async (key, code) => {
      const named = { key, code: key, windowsVirtualKeyCode: code, text: key === "Enter" ? "\r" : undefined };
      await ask("Input.dispatchKeyEvent", { type: "keyDown", ...named });
      await ask("Input.dispatchKeyEvent", { type: "keyUp", ...named });
    },
    go: async (url) => {
      await ask("Page.navigate", { url });
      await until(`document.readyState === "complete" && location.href.startsWith(${JSON.stringify(url)})`);
    },
    picture: async (path, dark, width) => {
      await ask("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
      await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
      await value("scrollTo(0, 0)");
      const { data } = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
      writeFileSync(path, Buffer.from(data, "base64"));
    },
  };
}
