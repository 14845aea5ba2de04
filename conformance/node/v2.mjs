// aws-sdk, the second version of the JavaScript SDK, against minikin. conformance/run sets the
// variables.

// The SDK warns at every start that it is no longer maintained; it is still used.
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";

import { checksOf } from "./checks.mjs";
import { run } from "./runner.mjs";

const { default: AWS } = await import("aws-sdk");

/** A client whose methods return promises at once, as those of the third version do. */
function connect({ endpoint, region = "us-east-1", defaultRetries }) {
  // No retries, and no validation in the SDK: the server must report the errors.
  const retries = defaultRetries ? {} : { maxRetries: 0 };
  const kinesis = new AWS.Kinesis({ endpoint, region, paramValidation: false, ...retries });
  return new Proxy(kinesis, {
    get: (target, method) => (...input) => target[method](...input).promise(),
  });
}

await run(
  "node-v2",
  checksOf({
    connect,
    untilExists: (client, StreamName) => client.waitFor("streamExists", { StreamName }),
    hasLargeRecords: false,
    retriesOf: (answer) => answer.$response.retryCount,
    untilGone: (client, StreamName) => client.waitFor("streamNotExists", { StreamName }),
  }),
);
