import assert from "node:assert/strict";

import { clientTest, eventually, PATIENCE_MS, recordStatus, respond } from "./harness.mjs";
import { take, texts, within } from "./harness.mjs";

/** Stops the server, waits until every client has noticed, and starts it again. */
async function restart(server, connections) {
  const seen = connections.map(recordStatus);
  assert.equal(await server.stop(), 0);
  await eventually(() => seen.every((s) => s.count("disconnect") > 0), "the disconnect");
  await server.restart();
  await eventually(() => seen.every((s) => s.count("reconnect") > 0), "the reconnect");
}

clientTest("subscriptions of every kind are restored", async ({ connect, server }) => {
  const [alice, bob] = [await connect(), await connect()];
  const subs = ["plain", "wild.*.>"].map((subject) => alice.subscribe(subject));
  subs.push(alice.subscribe("queued", { queue: "group" }));
  await alice.flush();
  await restart(server, [alice, bob]);
  await alice.flush();
  for (const subject of ["plain", "wild.a.b", "queued"]) bob.publish(subject, subject);
  const got = await Promise.all(subs.map((sub) => take(sub, 1)));
  assert.deepEqual(texts(got.flat()), ["plain", "wild.a.b", "queued"]);
});

clientTest("what was published meanwhile is sent afterwards", async ({ connect, server }) => {
  const nc = await connect();
  const sub = nc.subscribe("later");
  const seen = recordStatus(nc);
  await nc.flush();
  assert.equal(await server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0);
  for (let i = 0; i < 100; ++i) nc.publish("later", String(i));
  await server.restart();
  assert.equal(texts(await take(sub, 100))[99], "99");
});

clientTest("requests work after each of three restarts", async ({ connect, server }) => {
  const [service, asker] = [await connect(), await connect()];
  await respond(service, "service", () => "here");
  for (let round = 0; round < 3; ++round) {
    await restart(server, [service, asker]);
    await service.flush();
    const reply = await asker.request("service", "", { timeout: PATIENCE_MS });
    assert.equal(reply.string(), "here");
  }
});

clientTest("a connection without reconnect closes with the server", async (t) => {
  const nc = await t.connect({ reconnect: false });
  const closed = nc.closed();
  assert.equal(await t.server.stop(), 0);
  await within(closed, () => "the connection did not close");
  assert.ok(nc.isClosed());
});

clientTest("a client may wait for its first connection", async ({ connect, server }) => {
  assert.equal(await server.stop(), 0);
  const waiting = connect({ waitOnFirstConnect: true });
  await server.restart();
  await within(waiting, () => "the connection did not come");
});

const credentials = ["--user", "u", "--pass", "p"];
clientTest("credentials are given again", async ({ connect, server }) => {
  const nc = await connect({ user: "u", pass: "p" });
  const sub = nc.subscribe("x");
  await restart(server, [nc]);
  nc.publish("x", "back");
  assert.deepEqual(texts(await take(sub, 1)), ["back"]);
}, credentials);
