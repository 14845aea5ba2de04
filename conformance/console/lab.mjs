// The emulators that the pages show, the calls that fill them, and the browser that looks.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { chromium } from "playwright-core";

const HEADERS = {
  "content-type": "application/x-amz-json-1.1",
  "x-amz-date": "20260101T000000Z",
  authorization:
    "AWS4-HMAC-SHA256 Credential=console/20260101/us-east-1/kinesis/aws4_request, " +
    `SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
};

/** The ARN of a stream. */
export const arn = (stream) => `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}`;

/** An emulator of our own, which takes every signature: its address, and calls of its API. */
export class Emulator {
  static async start(...options) {
    const emulator = new Emulator();
    const program = process.env.MINIKIN;
    emulator.process = spawn(program, ["serve", "--port", "0", "--log", "error", ...options], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    process.on("exit", () => emulator.process.kill());
    let said = "";
    for await (const part of emulator.process.stdout) {
      said += part;
      if (said.includes("Ready.")) break;
    }
    emulator.endpoint = `http://${/127\.0\.0\.1:\d+/.exec(said)[0]}`;
    return emulator;
  }

  /** Calls an operation, and returns its answer. */
  async call(operation, members = {}) {
    const answer = await fetch(this.endpoint, {
      method: "POST",
      headers: { ...HEADERS, "x-amz-target": `Kinesis_20131202.${operation}` },
      body: JSON.stringify(members),
    });
    const text = await answer.text();
    return { status: answer.status, ...(text ? JSON.parse(text) : {}) };
  }

  async done(operation, members) {
    const answer = await this.call(operation, members);
    assert.equal(answer.status, 200, `${operation}: ${answer.message}`);
    return answer;
  }

  /** Puts a record; data is a text or bytes. */
  put(stream, key, data) {
    const Data = Buffer.from(data).toString("base64");
    return this.done("PutRecord", { StreamName: stream, PartitionKey: key, Data });
  }

  async own(method, path, body) {
    const answer = await fetch(`${this.endpoint}/_minikin/${path}`, {
      method,
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** Resident memory, in bytes. */
  async memory() {
    const { readFile } = await import("node:fs/promises");
    const status = await readFile(`/proc/${this.process.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
  }
}

/** A function for mappings, which fails while `isBroken` is true. */
export async function startFunction() {
  const state = { isBroken: true, calls: 0 };
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      state.calls += 1;
      if (!state.isBroken) return response.end("null");
      response.writeHead(200, { "x-amz-function-error": "Unhandled" });
      response.end(JSON.stringify({ errorType: "KeyError", errorMessage: "no price in the order" }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  state.url = `http://127.0.0.1:${server.address().port}`;
  return state;
}

/** A browser whose pages may use nothing but their own origin, and whose console has to stay empty. */
export class Browser {
  static async start() {
    const browser = new Browser();
    browser.inner = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
    browser.problems = [];
    return browser;
  }

  /** A page of the emulator. */
  async open(emulator, path, { width = 1600, colorScheme = "light", javaScriptEnabled = true } = {}) {
    const context = await this.inner.newContext({
      viewport: { width, height: 900 },
      colorScheme,
      javaScriptEnabled,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("console", (message) => {
      // The browser itself reports each refused form.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) {
        this.problems.push(`console of ${path}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => this.problems.push(`error in ${path}: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.problems.push(`dialog in ${path}: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(`${emulator.endpoint}/`)) {
        this.problems.push(`request of ${path} to ${request.url()}`);
      }
    });
    await page.goto(emulator.endpoint + path);
    return page;
  }

  async close(page) {
    await page.context().close();
  }
}
