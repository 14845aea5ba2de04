// Runs checks one by one and says how each went, in the words that conformance/run counts.

import assert from "node:assert/strict";

// A check that hangs must not hang the others.
const CHECK_SECONDS = process.env.LONG === "true" ? 300 : 60;

/** Runs `checks`, an object of names and async functions, for a client; and ends the process. */
export async function run(client, checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await Promise.race([check(), failureAfter(CHECK_SECONDS)]);
      console.log(`ok ${client}: ${name}`);
    } catch (error) {
      process.exitCode = 1;
      const reason = `${error.name}: ${error.message}`.replace(/\s+/g, " ");
      const [place = "in the SDK"] = /(?!runner)\b\w+\.mjs:\d+/.exec(error.stack) ?? [];
      console.log(`FAILED ${client}: ${name}: ${place}: ${reason}`);
    }
  }
  // Connections that the SDK keeps, and a check that hangs, would keep the process.
  process.exit();
}

async function failureAfter(seconds) {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  throw new Error(`not over after ${seconds} s`);
}

/** A call that must fail with the exception `name` and `message`, a text or an expression. */
export async function refused(name, message, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.name, name);
    assert.equal(error.$metadata?.httpStatusCode ?? error.statusCode, 400);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
    return true;
  });
}

/** Asks again and again until the condition holds. */
export async function until(condition, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    assert(Date.now() < deadline, `still not so after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Moves the time of VIRTUAL_ENDPOINT. */
export async function advanceClock(milliseconds) {
  const url = `${process.env.VIRTUAL_ENDPOINT}/_minikin/clock`;
  const answer = await fetch(url, { method: "POST", body: JSON.stringify({ advance_ms: milliseconds }) });
  assert.equal(answer.status, 200);
}
