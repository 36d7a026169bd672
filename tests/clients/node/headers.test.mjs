import assert from "node:assert/strict";

import { clientTest, PATIENCE_MS, take, texts } from "./harness.mjs";

clientTest("names, values and payload arrive as they were sent", async ({ connect, lib }) => {
  const [alice, bob] = [await connect(), await connect()];
  const sub = alice.subscribe("h");
  await alice.flush();
  const headers = lib.headers();
  headers.set("Trace-Id", "4711");
  headers.set("lower-case", 'punctuation: , ; "quoted" größer');
  bob.publish("h", "payload", { headers });
  const [m] = await take(sub, 1);
  assert.equal(m.headers.get("Trace-Id"), "4711");
  assert.equal(m.headers.get("lower-case"), 'punctuation: , ; "quoted" größer');
  assert.equal(m.string(), "payload");
});

clientTest("a name may have many values, in order", async ({ connect, lib }) => {
  const nc = await connect();
  const sub = nc.subscribe("h");
  const headers = lib.headers();
  for (const value of ["one", "two", "two", "three"]) headers.append("Step", value);
  headers.append("Other", "x");
  nc.publish("h", "", { headers });
  const [m] = await take(sub, 1);
  assert.deepEqual(m.headers.values("Step"), ["one", "two", "two", "three"]);
  assert.deepEqual(m.headers.keys().sort(), ["Other", "Step"]);
  assert.equal(m.data.length, 0);
});

clientTest("messages with and without them keep their order", async ({ connect, lib }) => {
  const nc = await connect();
  const sub = nc.subscribe("mixed");
  for (let i = 0; i < 1000; ++i) {
    const headers = i % 2 === 0 ? lib.headers() : undefined;
    headers?.set("N", String(i));
    nc.publish("mixed", String(i), { headers });
  }
  const got = await take(sub, 1000);
  assert.deepEqual(texts(got), got.map((_, i) => String(i)));
  assert.ok(got.every((m, i) => (m.headers?.get("N") ?? "") === (i % 2 === 0 ? `${i}` : "")));
});

clientTest("they go both ways with a request", async ({ connect, lib }) => {
  const [service, asker] = [await connect(), await connect()];
  service.subscribe("ask", {
    callback: (_, m) => {
      const headers = lib.headers();
      headers.set("Answer", m.headers.get("Question"));
      m.respond("", { headers });
    },
  });
  await service.flush();
  const headers = lib.headers();
  headers.set("Question", "because");
  const reply = await asker.request("ask", "", { headers, timeout: PATIENCE_MS });
  assert.equal(reply.headers.get("Answer"), "because");
});

clientTest("many and long ones fit", async ({ connect, lib }) => {
  const nc = await connect();
  const sub = nc.subscribe("h");
  const headers = lib.headers();
  for (let i = 0; i < 500; ++i) headers.set(`Key-${i}`, "v".repeat(100));
  headers.set("Long", "l".repeat(100_000));
  nc.publish("h", "x", { headers });
  const [m] = await take(sub, 1);
  assert.equal(m.headers.keys().length, 501);
  assert.equal(m.headers.get("Long").length, 100_000);
});
