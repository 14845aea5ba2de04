// A record processor that appends each record's data, a line, to the file OUTPUT. Its standard
// output belongs to the daemon.

"use strict";

const fs = require("fs");
const kcl = require("aws-kcl");

const checkpoint = ({ checkpointer }, done) => checkpointer.checkpoint(() => done());

kcl({
  initialize: (input, done) => done(),
  processRecords({ records, checkpointer }, done) {
    const lines = records.map(({ data }) => `${Buffer.from(data, "base64")}\n`);
    fs.appendFileSync(process.env.OUTPUT, lines.join(""));
    if (records.length === 0) done();
    else checkpointer.checkpoint(records.at(-1).sequenceNumber, () => done());
  },
  leaseLost: (input, done) => done(),
  shardEnded: checkpoint,
  shutdownRequested: checkpoint,
}).run();
