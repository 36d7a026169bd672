import assert from "node:assert/strict";

import { clientTest, PATIENCE_MS, respond, take, texts } from "./harness.mjs";

const timeout = PATIENCE_MS;

async function collect(replies) {
  const all = [];
  for await (const m of await replies) all.push(m.string());
  return all;
}

clientTest("the reply comes back to who asked", async ({ connect }) => {
  const [service, asker] = [await connect(), await connect()];
  await respond(service, "echo", (m) => m.data);
  for (const text of ["hello", "", "again"]) {
    assert.equal((await asker.request("echo", text, { timeout })).string(), text);
  }
});

clientTest("without a responder a request fails at once", async ({ connect, lib }) => {
  const nc = await connect();
  for (const options of [{ timeout }, { timeout, noMux: true }]) {
    await assert.rejects(nc.request("nobody", "", options), lib.isNoResponders);
  }
});

clientTest("with a silent listener a request times out", async ({ connect, lib }) => {
  const nc = await connect();
  nc.subscribe("silent", { callback: () => {} });
  await assert.rejects(nc.request("silent", "", { timeout: 50 }), lib.isTimeout);
});

clientTest("a request may name its own reply subject", async ({ connect, lib }) => {
  const nc = await connect();
  await respond(nc, "who", (m) => m.reply);
  const reply = `mine.${lib.createInbox()}`;
  const answer = await nc.request("who", "", { timeout, noMux: true, reply });
  assert.equal(answer.string(), reply);
});

clientTest("an inbox prefix is kept", async ({ connect }) => {
  const nc = await connect({ inboxPrefix: "mine.inbox" });
  await respond(nc, "who", (m) => m.reply);
  assert.match((await nc.request("who", "", { timeout })).string(), /^mine\.inbox\./);
});

clientTest("a thousand requests at once each get their own reply", async ({ connect }) => {
  const [service, asker] = [await connect(), await connect()];
  await respond(service, "echo.*", (m) => `${m.subject}/${m.string()}`);
  const ask = async (_, i) => (await asker.request(`echo.${i}`, `${i}`, { timeout })).string();
  const replies = await Promise.all(Array.from({ length: 1000 }, ask));
  assert.deepEqual(replies, Array.from({ length: 1000 }, (_, i) => `echo.${i}/${i}`));
});

clientTest("a thousand inboxes each get their own message", async ({ connect, lib }) => {
  const [service, asker] = [await connect(), await connect()];
  await respond(service, "echo", (m) => m.data);
  const inboxes = Array.from({ length: 1000 }, () => lib.createInbox());
  const subs = inboxes.map((inbox) => asker.subscribe(inbox, { max: 1 }));
  inboxes.forEach((inbox, i) => asker.publish("echo", String(i), { reply: inbox }));
  const replies = await Promise.all(subs.map(async (sub) => texts(await take(sub, 1))[0]));
  assert.deepEqual(replies, inboxes.map((_, i) => String(i)));
});

clientTest("a thousand requests without a shared inbox are answered", async ({ connect }) => {
  const [service, asker] = [await connect(), await connect()];
  await respond(service, "echo", (m) => m.data);
  const ask = (_, i) => asker.request("echo", String(i), { timeout, noMux: true });
  const replies = await Promise.all(Array.from({ length: 1000 }, ask));
  assert.deepEqual(texts(replies), replies.map((_, i) => String(i)));
});

clientTest("a request for many collects a number of replies", async ({ connect, lib }) => {
  const [service, asker] = [await connect(), await connect()];
  for (const name of ["one", "two", "three"]) await respond(service, "all", () => name);
  const strategy = lib.strategies.count;
  for (const noMux of [false, true]) {
    const options = { strategy, maxMessages: 3, maxWait: timeout, noMux };
    const replies = await collect(asker.requestMany("all", "", options));
    assert.deepEqual(replies.sort(), ["one", "three", "two"]);
  }
});

clientTest("a request for many ends with an empty reply", async ({ connect, lib }) => {
  const [service, asker] = [await connect(), await connect()];
  service.subscribe("pages", {
    callback: (_, m) => ["1", "2", "3", "4", ""].forEach((page) => m.respond(page)),
  });
  await service.flush();
  const options = { strategy: lib.strategies.sentinel, maxWait: timeout };
  const pages = await collect(asker.requestMany("pages", "", options));
  assert.deepEqual(pages.filter((page) => page !== ""), ["1", "2", "3", "4"]);
});

clientTest("a request for many ends after a pause or a time", async ({ connect, lib }) => {
  const [service, asker] = [await connect(), await connect()];
  for (const name of ["one", "two"]) await respond(service, "all", () => name);
  const { stall, timer } = lib.strategies;
  for (const [strategy, maxWait] of [[stall, timeout], [timer, 500]]) {
    const options = { strategy, maxWait, stall: 500, jitter: 500 };
    const replies = await collect(asker.requestMany("all", "", options));
    assert.deepEqual(replies.sort(), ["one", "two"]);
  }
});
