import assert from "node:assert/strict";

import { clientTest, eventually, PATIENCE_MS, take, texts, within } from "./harness.mjs";

const discard = () => {};

clientTest("a drained subscription has handled everything sent to it", async (t) => {
  const [alice, bob] = [await t.connect(), await t.connect()];
  const sub = alice.subscribe("work", { callback: discard });
  await alice.flush();
  for (let i = 0; i < 10_000; ++i) bob.publish("work", String(i));
  await bob.flush();
  await within(sub.drain(), () => "the drain did not end");
  assert.equal(sub.getReceived(), 10_000);
  const request = bob.request("work", "", { timeout: PATIENCE_MS });
  await assert.rejects(request, t.lib.isNoResponders);
});

clientTest("a group loses nothing while members come and go", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const subs = [];
  const join = () => subs.push(alice.subscribe("work", { queue: "group", callback: discard }));
  join();
  await alice.flush();
  const drains = [];
  for (let round = 0; round < 20; ++round) {
    for (let i = 0; i < 500; ++i) bob.publish("work", "x".repeat(64));
    join();
    await Promise.all([alice.flush(), bob.flush()]);
    drains.push(subs[round].drain());
  }
  await bob.flush();
  await within(Promise.all(drains), () => "the drains did not end");
  const handled = () => subs.reduce((sum, sub) => sum + sub.getReceived(), 0);
  await eventually(() => handled() >= 10_000, "10000 messages");
  await alice.flush();
  assert.equal(handled(), 10_000);
});

clientTest("a drained connection sends what it owes and closes", async ({ connect }) => {
  const [asker, service] = [await connect(), await connect()];
  service.subscribe("work", { callback: (_, m) => m.respond("done") });
  await service.flush();
  const replies = asker.subscribe("replies");
  for (let i = 0; i < 2000; ++i) asker.publish("work", "", { reply: "replies" });
  await asker.flush();
  await within(service.drain(), () => "the drain did not end");
  assert.ok(service.isClosed());
  assert.deepEqual(texts(await take(replies, 2000)), Array(2000).fill("done"));
  assert.throws(() => service.publish("x"));
});

clientTest("what was published just before a drain arrives", async ({ connect }) => {
  const [reader, writer] = [await connect(), await connect()];
  const sub = reader.subscribe("last.words");
  await reader.flush();
  for (let i = 0; i < 5000; ++i) writer.publish("last.words", String(i));
  await within(writer.drain(), () => "the drain did not end");
  assert.equal(texts(await take(sub, 5000))[4999], "4999");
});
