// Runs checks one by one and says how each went, in the words that conformance/run counts.

import assert from "node:assert/strict";

/** Runs `checks`, an object of names and async functions, for a client. */
export async function run(client, checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${client}: ${name}`);
    } catch (error) {
      process.exitCode = 1;
      const reason = `${error.name}: ${error.message}`.replace(/\s+/g, " ");
      const [place = "in the SDK"] = /checks\.mjs:\d+/.exec(error.stack) ?? [];
      console.log(`FAILED ${client}: ${name}: ${place}: ${reason}`);
    }
  }
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
