// A function that appends each record's data, a line, to the file OUTPUT, and one that fails.

"use strict";

const fs = require("fs");

exports.print = async ({ Records }) => {
  const lines = Records.map(({ kinesis }) => `${Buffer.from(kinesis.data, "base64")}\n`);
  fs.appendFileSync(process.env.OUTPUT, lines.join(""));
};

exports.fail = async () => {
  throw new TypeError("by design");
};
