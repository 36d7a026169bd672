import assert from "node:assert/strict";

import { clientTest, eventually, respond } from "./harness.mjs";

const discard = () => {};

const member = (nc, queue, subject = "job") => nc.subscribe(subject, { queue, callback: discard });

const received = (subs) => subs.reduce((sum, sub) => sum + sub.getReceived(), 0);

clientTest("one member of a group gets each message, and all get some", async ({ connect }) => {
  const connections = [await connect(), await connect(), await connect()];
  const workers = connections.map((nc) => member(nc, "workers"));
  await Promise.all(connections.map((nc) => nc.flush()));
  const publisher = await connect();
  for (let i = 0; i < 3000; ++i) publisher.publish("job");
  await publisher.flush();
  await eventually(() => received(workers) >= 3000, "3000 messages");
  await Promise.all(connections.map((nc) => nc.flush()));
  assert.equal(received(workers), 3000);
  for (const worker of workers) assert.ok(worker.getReceived() > 500);
});

clientTest("every group and every plain subscription gets each message", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const plain = alice.subscribe("job", { callback: discard });
  const red = [member(alice, "red"), member(bob, "red", "*")];
  const blue = [member(alice, "blue"), member(bob, "blue")];
  await alice.flush();
  await bob.flush();
  for (let i = 0; i < 1000; ++i) bob.publish("job");
  await bob.flush();
  await eventually(
    () => received([plain]) === 1000 && received(red) === 1000 && received(blue) === 1000,
  );
});

clientTest("those who stay get everything when a member leaves", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const stays = member(alice, "workers");
  const leaves = member(bob, "workers");
  await alice.flush();
  leaves.unsubscribe();
  await bob.flush();
  for (let i = 0; i < 500; ++i) bob.publish("job");
  await eventually(() => stays.getReceived() === 500);
});

clientTest("requests to a group are each answered once", async ({ connect }) => {
  const [alice, bob, asker] = [await connect(), await connect(), await connect()];
  const one = await respond(alice, "service", () => "one", { queue: "servers" });
  const two = await respond(bob, "service", () => "two", { queue: "servers" });
  await Promise.all(Array.from({ length: 500 }, () => asker.request("service", "")));
  assert.equal(received([one, two]), 500);
  assert.ok(one.getReceived() > 50 && two.getReceived() > 50);
});
