import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { clientTest, PATIENCE_MS, respond, take, texts } from "./harness.mjs";

const MEBIBYTE = 1 << 20;

const same = (m, payload) => payload.compare(m.data) === 0;

clientTest("a mebibyte is the limit, and fits", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const sub = alice.subscribe("big");
  await alice.flush();
  const payload = randomBytes(MEBIBYTE);
  for (let i = 0; i < 20; ++i) bob.publish("big", payload);
  assert.ok((await take(sub, 20)).every((m) => same(m, payload)));
});

clientTest("above the limit the client is told, and goes on", async ({ connect, lib }) => {
  const nc = await connect();
  const sub = nc.subscribe("big");
  assert.throws(() => nc.publish("big", Buffer.alloc(MEBIBYTE + 1)), lib.isTooLarge);
  nc.publish("big", "small");
  assert.deepEqual(texts(await take(sub, 1)), ["small"]);
});

clientTest("large requests get large replies", async ({ connect }) => {
  const [service, asker] = [await connect(), await connect()];
  await respond(service, "echo", (m) => m.data);
  const payload = randomBytes(MEBIBYTE);
  const ask = () => asker.request("echo", payload, { timeout: PATIENCE_MS });
  const replies = await Promise.all(Array.from({ length: 20 }, ask));
  assert.ok(replies.every((m) => same(m, payload)));
});

clientTest("every size around the buffers' edges arrives whole", async ({ connect }) => {
  const nc = await connect();
  const sub = nc.subscribe("size");
  const sizes = [128, 512, 4096, 32_768, 65_536, 131_072].flatMap((s) => [s - 1, s, s + 1]);
  const payloads = sizes.map((size) => randomBytes(size));
  for (const payload of payloads) nc.publish("size", payload);
  const got = await take(sub, payloads.length);
  assert.ok(got.every((m, i) => same(m, payloads[i])));
});

clientTest("a long subject with many tokens is served", async ({ connect }) => {
  const nc = await connect();
  const subject = Array.from({ length: 300 }, (_, i) => `t${i}`).join(".");
  const subs = [nc.subscribe(subject), nc.subscribe("t0.>")];
  nc.publish(subject, "long");
  for (const sub of subs) assert.equal((await take(sub, 1))[0].subject, subject);
});

clientTest("many subscriptions come and go", async ({ connect }) => {
  const nc = await connect();
  for (let round = 0; round < 2; ++round) {
    const subs = Array.from({ length: 2000 }, (_, i) => nc.subscribe(`many.${i}`));
    subs.forEach((_, i) => nc.publish(`many.${i}`, String(i)));
    const got = await Promise.all(subs.map((sub) => take(sub, 1)));
    assert.deepEqual(texts(got.flat()), subs.map((_, i) => String(i)));
    subs.forEach((sub) => sub.unsubscribe());
  }
});

clientTest("fifty connections talk at the same time", async ({ connect }) => {
  const connections = await Promise.all(Array.from({ length: 50 }, () => connect()));
  const subs = connections.map((nc) => nc.subscribe("room"));
  await Promise.all(connections.map((nc) => nc.flush()));
  connections.forEach((nc, i) => nc.publish("room", String(i)));
  const heard = await Promise.all(subs.map((sub) => take(sub, 50)));
  const everyone = connections.map((_, i) => String(i)).sort();
  for (const messages of heard) assert.deepEqual(texts(messages).sort(), everyone);
});
