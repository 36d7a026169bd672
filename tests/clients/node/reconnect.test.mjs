import assert from "node:assert/strict";

import {
  clientTest,
  eventually,
  PATIENCE_MS,
  recordStatus,
  respond,
  take,
  texts,
  within,
} from "./harness.mjs";

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

clientTest("a client may reconnect by itself", async ({ connect }) => {
  const [nc, other] = [await connect(), await connect()];
  const sub = nc.subscribe("x");
  const seen = recordStatus(nc);
  const before = nc.info.client_id;
  await nc.reconnect();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  await nc.flush();
  assert.notEqual(nc.info.client_id, before);
  other.publish("x", "back");
  assert.deepEqual(texts(await take(sub, 1)), ["back"]);
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
