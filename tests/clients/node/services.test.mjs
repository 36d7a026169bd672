import assert from "node:assert/strict";

import { clientTest, eventually, PATIENCE_MS } from "./harness.mjs";

const timeout = PATIENCE_MS;
const identity = { name: "calculator", version: "1.2.3", description: "adds", metadata: { a: "b" } };

async function addCalculator(lib, nc, config = identity) {
  const service = await lib.services(nc).add(config);
  service.addEndpoint("sum", {
    handler: (error, m) => {
      if (error) return;
      const { numbers } = m.json();
      if (!Array.isArray(numbers)) return m.respondError(400, "no numbers", "sorry");
      m.respond(JSON.stringify(numbers.reduce((a, b) => a + b, 0)));
    },
    metadata: { unit: "none" },
  });
  await nc.flush();
  return service;
}

/** All replies to one of the discovery verbs of a service client. */
async function ask(lib, nc, verb, count, ...which) {
  const options = { strategy: lib.strategies.count, maxMessages: count, maxWait: timeout };
  const replies = [];
  for await (const reply of await lib.services(nc).client(options)[verb](...which)) {
    replies.push(reply);
  }
  return replies;
}

const sum = (nc, body) => nc.request("sum", JSON.stringify(body), { timeout });

clientTest("services: an endpoint answers requests", async ({ connect, lib }) => {
  const [server, asker] = [await connect(), await connect()];
  await addCalculator(lib, server);
  assert.equal((await sum(asker, { numbers: [1, 2, 3] })).json(), 6);
});

clientTest("services: an error has a code, a text and a payload", async ({ connect, lib }) => {
  const [server, asker] = [await connect(), await connect()];
  await addCalculator(lib, server);
  const reply = await sum(asker, {});
  assert.equal(reply.headers.get("Nats-Service-Error-Code"), "400");
  assert.equal(reply.headers.get("Nats-Service-Error"), "no numbers");
  assert.equal(reply.string(), "sorry");
});

clientTest("services: a handler that throws answers 500 and is counted", async (t) => {
  const [server, asker] = [await t.connect(), await t.connect()];
  const service = await t.lib.services(server).add(identity);
  service.addEndpoint("fails", () => {
    throw new Error("out of order");
  });
  await server.flush();
  const reply = await asker.request("fails", "", { timeout });
  assert.equal(reply.headers.get("Nats-Service-Error-Code"), "500");
  const [stats] = await ask(t.lib, asker, "stats", 1, "calculator");
  assert.equal(stats.endpoints[0].num_errors, 1);
});

clientTest("services: ping, info and stats find every instance", async ({ connect, lib }) => {
  const [one, two, asker] = [await connect(), await connect(), await connect()];
  const services = [await addCalculator(lib, one), await addCalculator(lib, two)];
  await addCalculator(lib, two, { ...identity, name: "other" });
  const ids = services.map((service) => service.info().id).sort();
  assert.equal((await ask(lib, asker, "ping", 3)).length, 3);
  for (const verb of ["ping", "info", "stats"]) {
    const found = await ask(lib, asker, verb, 2, "calculator");
    assert.deepEqual(found.map((reply) => reply.id).sort(), ids);
    const [single] = await ask(lib, asker, verb, 1, "calculator", ids[0]);
    assert.deepEqual([single.id, single.version], [ids[0], "1.2.3"]);
  }
});

clientTest("services: info tells the endpoints", async ({ connect, lib }) => {
  const [server, asker] = [await connect(), await connect()];
  const service = await addCalculator(lib, server);
  service.addGroup("v2").addGroup("math").addEndpoint("max", (_, m) => m.respond("max"));
  await server.flush();
  const [info] = await ask(lib, asker, "info", 1, "calculator");
  assert.equal(info.description, "adds");
  assert.deepEqual(info.metadata, { a: "b" });
  assert.deepEqual(info.endpoints.map((e) => e.subject), ["sum", "v2.math.max"]);
  assert.equal(info.endpoints[0].queue_group, "q");
  assert.equal((await asker.request("v2.math.max", "", { timeout })).string(), "max");
});

clientTest("services: instances share the requests, and stats count them", async (t) => {
  const [one, two, asker] = [await t.connect(), await t.connect(), await t.connect()];
  await addCalculator(t.lib, one);
  await addCalculator(t.lib, two);
  const replies = await Promise.all(Array.from({ length: 400 }, () => sum(asker, { numbers: [1] })));
  assert.ok(replies.every((reply) => reply.json() === 1));
  const counts = async () => {
    const stats = await ask(t.lib, asker, "stats", 2, "calculator");
    return stats.map((s) => s.endpoints[0].num_requests);
  };
  await eventually(async () => (await counts()).reduce((a, b) => a + b) === 400);
  assert.ok((await counts()).every((count) => count > 50));
});

clientTest("services: a stopped one is gone", async ({ connect, lib }) => {
  const [server, asker] = [await connect(), await connect()];
  const service = await addCalculator(lib, server);
  assert.equal((await sum(asker, { numbers: [1] })).json(), 1);
  await service.stop();
  await server.flush();
  await assert.rejects(sum(asker, { numbers: [1] }), lib.isNoResponders);
  const ping = asker.request("$SRV.PING.calculator", "", { timeout });
  await assert.rejects(ping, lib.isNoResponders);
});
