// Consumers that clients pull from, and acknowledgements.
import assert from "node:assert/strict";

import { eventually, recordStatus } from "./harness.mjs";
import { collect, dataOf, first, ns, refused, seqs, streamTest, text } from "./streams.mjs";

const consumerTest = (name, ...rest) => streamTest(`consumers: ${name}`, ...rest);
const letters = ["s.a one", "s.b two", "s.a three", "s.c four", "s.b five"];

/** The types of what the iterator yields, in an array that grows. */
function recordTypes(iterator) {
  const seen = [];
  (async () => {
    for await (const { type } of await iterator) seen.push(type);
  })();
  return seen;
}

/** All that the consumer says is left for it. */
async function rest(consumer) {
  const { num_pending } = await consumer.info();
  if (num_pending === 0) return [];
  const got = await collect(consumer.fetch({ max_messages: num_pending }));
  assert.equal((await consumer.info()).num_pending, 0);
  return got;
}

consumerTest("one is made, changed, shown, listed and deleted", async ({ jsm, info }) => {
  const made = await jsm.consumers.add("S", {
    durable_name: "c",
    ack_policy: "explicit",
    description: "first",
    metadata: { a: "b" },
  });
  assert.equal(made.name, "c");
  assert.equal(made.stream_name, "S");
  assert.equal(made.config.durable_name, "c");
  assert.equal(made.config.metadata.a, "b");
  assert.equal(made.config.ack_wait, ns(30_000));
  assert.equal(made.config.max_deliver, -1);
  assert.equal(made.config.max_ack_pending, 1000);
  assert.equal(made.config.max_waiting, 512);
  const changed = await jsm.consumers.update("S", "c", { description: "second", max_deliver: 3 });
  assert.equal(changed.config.description, "second");
  assert.equal((await info()).config.max_deliver, 3);
  await jsm.consumers.add("S", { durable_name: "d", ack_policy: "all" });
  const names = (await collect(jsm.consumers.list("S"))).map((i) => i.name);
  assert.deepEqual(names.sort(), ["c", "d"]);
  assert.equal((await jsm.streams.info("S")).state.consumer_count, 2);
  assert.equal(await jsm.consumers.delete("S", "d"), true);
  await refused(jsm.consumers.info("S", "d"), 10014);
  await refused(jsm.consumers.delete("S", "d"), 10014);
  await refused(jsm.consumers.info("T", "c"), 10059);
});

consumerTest("hundreds are listed, over several pages", async ({ jsm }) => {
  const names = Array.from({ length: 300 }, (_, i) => `c${i}`).sort();
  for (let i = 0; i < names.length; i += 50) {
    const some = names.slice(i, i + 50);
    await Promise.all(some.map((durable_name) => jsm.consumers.add("S", { durable_name })));
  }
  const listed = await collect(jsm.consumers.list("S"));
  assert.deepEqual(listed.map((i) => i.name).sort(), names);
});

consumerTest("what cannot be is refused", async ({ jsm, add }) => {
  await add();
  await refused(jsm.consumers.add("S", { durable_name: "c", ack_policy: "none" }), 10148);
  await refused(jsm.consumers.update("S", "d", { description: "x" }), 10014);
  const wrong = (config) =>
    jsm.consumers.add("S", { durable_name: "x", ack_policy: "explicit", ...config });
  await refused(wrong({ filter_subjects: ["s.>", "s.a"] }), 10138);
  await refused(wrong({ filter_subject: "s.a", filter_subjects: ["s.b"] }), 10136);
  await refused(wrong({ deliver_policy: "by_start_sequence" }), 10094);
  await refused(wrong({ max_deliver: 1, backoff: [ns(1000), ns(2000)] }), 10116);
});

consumerTest("next: one message, and none", async ({ add, publish, info }) => {
  const c = await add();
  await publish("s.a one");
  const m = await c.next();
  assert.equal(text(m), "one");
  assert.equal(m.subject, "s.a");
  assert.equal(m.seq, 1);
  assert.equal(m.redelivered, false);
  assert.equal(m.info.stream, "S");
  assert.equal(m.info.consumer, "c");
  assert.equal(m.info.deliverySequence, 1);
  assert.equal(m.info.pending, 0);
  m.ack();
  await eventually(async () => (await info()).ack_floor.stream_seq === 1, "the ack");
  assert.equal(await c.next({ expires: 1000 }), null);
});

consumerTest("next: a message that is stored later", async ({ add, publish }) => {
  const c = await add();
  const waiting = c.next({ expires: 15_000 });
  await publish("s.a later");
  assert.equal(text(await waiting), "later");
});

consumerTest("fetch: a batch, and what there is of it", async ({ add, publish, info }) => {
  const c = await add();
  await publish(...letters);
  const batch = await collect(c.fetch({ max_messages: 3 }));
  assert.deepEqual(dataOf(batch), ["one", "two", "three"]);
  assert.deepEqual(batch.map((m) => m.info.pending), [4, 3, 2]);
  const rest = await collect(c.fetch({ max_messages: 10, expires: 1000 }));
  assert.deepEqual(dataOf(rest), ["four", "five"]);
  const { delivered, num_ack_pending, num_pending } = await info();
  assert.equal(delivered.consumer_seq, 5);
  assert.equal(delivered.stream_seq, 5);
  assert.equal(num_ack_pending, 5);
  assert.equal(num_pending, 0);
});

consumerTest("fetch: as many as fit into so many bytes", async ({ add, js }) => {
  const c = await add();
  for (let i = 0; i < 4; ++i) await js.publish("s.a", "x".repeat(1000));
  const got = [];
  const whole = (async () => {
    for await (const m of await c.fetch({ max_bytes: 2500, expires: 1000 })) got.push(m.seq);
  })();
  // One generation of the client reports that the third message is too large, the other ends.
  await whole.catch((error) => assert.match(error.message, /exceeds maxbytes/i));
  assert.deepEqual(got, [1, 2]);
});

consumerTest("consume: thousands, each once and in order", async ({ add, js, info }) => {
  const count = 3000;
  const c = await add({ max_ack_pending: -1 });
  const messages = await c.consume({ max_messages: 250 });
  const publishing = (async () => {
    for (let i = 0; i < count; i += 500)
      await Promise.all(Array.from({ length: 500 }, (_, k) => js.publish("s.a", `${i + k}`)));
  })();
  const got = await first(messages, count, (m) => m.ack());
  await publishing;
  assert.deepEqual(seqs(got), Array.from({ length: count }, (_, i) => i + 1));
  assert.equal(got.filter((m) => m.redelivered).length, 0);
  await eventually(async () => (await info()).ack_floor.stream_seq === count, "the acks");
  assert.equal((await info()).num_ack_pending, 0);
});

consumerTest("consume: bytes instead of messages", async ({ add, js }) => {
  const c = await add();
  for (let i = 0; i < 40; ++i) await js.publish("s.a", "x".repeat(1000));
  const got = await first(await c.consume({ max_bytes: 8000 }), 40, (m) => m.ack());
  assert.deepEqual(seqs(got), Array.from({ length: 40 }, (_, i) => i + 1));
});

consumerTest("consume: two share the messages of one consumer", async ({ add, js }) => {
  const c = await add();
  const got = [];
  const two = await Promise.all([
    c.consume({ max_messages: 5, callback: (m) => (got.push(m.seq), m.ack()) }),
    c.consume({ max_messages: 5, callback: (m) => (got.push(m.seq), m.ack()) }),
  ]);
  for (let i = 0; i < 100; ++i) await js.publish("s.a", "x");
  await eventually(() => got.length === 100, "the messages");
  assert.deepEqual(got.sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i + 1));
  await Promise.all(two.map((messages) => messages.close()));
});

consumerTest("consume: the deletion of the consumer is reported", async (t) => {
  const c = await t.add();
  const messages = await c.consume({ expires: 10_000, callback: (m) => m.ack() });
  const seen = recordTypes(messages.status());
  await eventually(async () => (await t.info()).num_waiting > 0, "the pull request");
  await t.jsm.consumers.delete("S", "c");
  await eventually(() => seen.includes("consumer_deleted"), "the notification");
  await messages.close();
});

consumerTest("ack: an answered acknowledgement has taken effect", async (t) => {
  const c = await t.add();
  await t.publish("s.a one", "s.a two");
  const [one, two] = await collect(c.fetch({ max_messages: 2 }));
  assert.equal(await two.ackAck(), true);
  assert.equal((await t.info()).ack_floor.stream_seq, 0);
  assert.equal((await t.info()).num_ack_pending, 1);
  assert.equal(await one.ackAck(), true);
  assert.equal((await t.info()).ack_floor.stream_seq, 2);
  assert.equal((await t.info()).ack_floor.consumer_seq, 2);
  assert.equal((await t.info()).num_ack_pending, 0);
});

consumerTest("ack: one for all before it", async (t) => {
  const c = await t.add({ ack_policy: "all" });
  await t.publish(...letters);
  const messages = await collect(c.fetch({ max_messages: 5 }));
  await messages[3].ackAck();
  const { ack_floor, num_ack_pending } = await t.info();
  assert.equal(ack_floor.stream_seq, 4);
  assert.equal(num_ack_pending, 1);
});

consumerTest("ack: none is needed with the policy none", async (t) => {
  const c = await t.add({ ack_policy: "none" });
  await t.publish("s.a one", "s.a two");
  await collect(c.fetch({ max_messages: 2 }));
  const { ack_floor, num_ack_pending, num_pending } = await t.info();
  assert.equal(ack_floor.stream_seq, 2);
  assert.equal(num_ack_pending, 0);
  assert.equal(num_pending, 0);
});

consumerTest("nak: the message comes again at once", async (t) => {
  const c = await t.add();
  await t.publish("s.a one", "s.a two");
  (await c.next()).nak();
  const again = await collect(c.fetch({ max_messages: 2 }));
  assert.deepEqual(seqs(again).sort(), [1, 2]);
  const one = again.find((m) => m.seq === 1);
  assert.equal(one.redelivered, true);
  assert.equal(one.info.deliveryCount, 2);
  assert.equal((await t.info()).num_redelivered, 1);
});

consumerTest("nak: the message comes again after the delay", async (t) => {
  const c = await t.add();
  await t.publish("s.a one", "s.a two");
  (await c.next()).nak(1500);
  assert.equal((await c.next()).seq, 2);
  const again = await c.next({ expires: 15_000 });
  assert.equal(again.seq, 1);
  assert.equal(again.info.deliveryCount, 2);
});

consumerTest("term: the message does not come again", async (t) => {
  const c = await t.add({ ack_wait: ns(300) });
  await t.publish("s.a one", "s.a two");
  (await c.next()).term("broken");
  await eventually(async () => (await t.info()).num_ack_pending === 0, "the end of the message");
  const two = await c.next();
  assert.equal(two.seq, 2);
  assert.equal(await two.ackAck(), true);
  assert.equal((await t.info()).ack_floor.stream_seq, 2);
});

consumerTest("next: an acknowledgement that asks for the next message", async (t) => {
  const c = await t.add();
  await t.publish("s.a one", "s.a two");
  const inbox = t.lib.createInbox();
  const answers = t.nc.subscribe(inbox, { max: 1 });
  (await c.next()).next(inbox, { batch: 1, expires: 15_000 });
  const [two] = await first(answers, 1);
  assert.equal(two.string(), "two");
  assert.match(two.reply, /^\$JS\.ACK\.S\.c\.1\.2\.2\./);
  assert.equal((await t.info()).ack_floor.stream_seq, 1);
});

consumerTest("working: the time for the acknowledgement starts again", async (t) => {
  const c = await t.add({ ack_wait: ns(1000) });
  await t.publish("s.a one", "s.a two");
  const [one, two] = await collect(c.fetch({ max_messages: 2 }));
  const busy = setInterval(() => one.working(), 100);
  try {
    const again = await c.next({ expires: 15_000 });
    assert.equal(again.seq, two.seq);
    await again.ackAck();
  } finally {
    clearInterval(busy);
  }
  assert.equal(await one.ackAck(), true);
  assert.equal((await t.info()).ack_floor.stream_seq, 2);
});

consumerTest("ack_wait: what is not acknowledged comes again", async (t) => {
  const c = await t.add({ ack_wait: ns(250) });
  await t.publish("s.a one");
  assert.equal((await c.next()).info.deliveryCount, 1);
  for (const count of [2, 3]) {
    const again = await c.next({ expires: 15_000 });
    assert.equal(again.seq, 1);
    assert.equal(again.info.deliveryCount, count);
    assert.equal(again.info.deliverySequence, count);
  }
});

consumerTest("backoff: takes the place of ack_wait", async (t) => {
  const c = await t.add({ max_deliver: 4, backoff: [ns(100), ns(200)] });
  await t.publish("s.a one");
  for (const count of [1, 2, 3, 4])
    assert.equal((await c.next({ expires: 15_000 })).info.deliveryCount, count);
});

consumerTest("max_deliver: no more than so often, and the advisory", async (t) => {
  const advisories = t.nc.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c", { max: 1 });
  const c = await t.add({ ack_wait: ns(200), max_deliver: 2 });
  await t.publish("s.a one");
  assert.equal((await c.next()).info.deliveryCount, 1);
  assert.equal((await c.next({ expires: 15_000 })).info.deliveryCount, 2);
  const waiting = c.next({ expires: 15_000 });
  const [advisory] = await first(advisories, 1);
  const { stream_seq, deliveries } = advisory.json();
  assert.deepEqual({ stream_seq, deliveries }, { stream_seq: 1, deliveries: 2 });
  await t.publish("s.a two");
  assert.equal(text(await waiting), "two");
  assert.equal((await t.state()).messages, 2);
});

consumerTest("max_ack_pending: no more until one is acknowledged", async (t) => {
  const c = await t.add({ max_ack_pending: 2 });
  await t.publish(...letters);
  const two = await collect(c.fetch({ max_messages: 5, expires: 1000 }));
  assert.deepEqual(seqs(two), [1, 2]);
  await two[0].ackAck();
  assert.equal((await c.next()).seq, 3);
});

consumerTest("filters: one subject, a wildcard, several, changed", async ({ jsm, js, publish }) => {
  await publish(...letters);
  const read = async (config) => {
    await jsm.consumers.add("S", { durable_name: "f", ack_policy: "explicit", ...config });
    const got = await rest(await js.consumers.get("S", "f"));
    await jsm.consumers.delete("S", "f");
    return seqs(got);
  };
  assert.deepEqual(await read({ filter_subject: "s.a" }), [1, 3]);
  assert.deepEqual(await read({ filter_subject: "s.*" }), [1, 2, 3, 4, 5]);
  assert.deepEqual(await read({ filter_subjects: ["s.c", "s.b"] }), [2, 4, 5]);
  assert.deepEqual(await read({ filter_subject: "t" }), []);
  await jsm.consumers.add("S", { durable_name: "f", ack_policy: "explicit" });
  const changed = await jsm.consumers.update("S", "f", { filter_subject: "s.b" });
  assert.equal(changed.config.filter_subject, "s.b");
  assert.equal(changed.num_pending, 2);
});

consumerTest("deliver policies: where a consumer begins", async ({ jsm, js, publish }) => {
  await publish(...letters);
  const { time } = await jsm.streams.getMessage("S", { seq: 4 });
  const read = async (config, more = []) => {
    await jsm.consumers.add("S", { durable_name: "p", ack_policy: "none", ...config });
    await publish(...more);
    const got = await rest(await js.consumers.get("S", "p"));
    await jsm.consumers.delete("S", "p");
    return seqs(got);
  };
  assert.deepEqual(await read({ deliver_policy: "all" }), [1, 2, 3, 4, 5]);
  assert.deepEqual(await read({ deliver_policy: "last" }), [5]);
  assert.deepEqual(await read({ deliver_policy: "last", filter_subject: "s.a" }), [3]);
  const last = { deliver_policy: "last_per_subject", filter_subject: "s.*" };
  assert.deepEqual(await read(last), [3, 4, 5]);
  assert.deepEqual(await read({ deliver_policy: "by_start_sequence", opt_start_seq: 4 }), [4, 5]);
  // The client's time has milliseconds only.
  const start = new Date(time.getTime() + 1).toISOString();
  const later = await read({ deliver_policy: "by_start_time", opt_start_time: start });
  assert.ok(later.every((seq) => seq >= 4), `${later}`);
  assert.deepEqual(await read({ deliver_policy: "new" }, ["s.a six"]), [6]);
});

consumerTest("headers_only: the size instead of the payload", async ({ lib, js, add }) => {
  const headers = lib.headers();
  headers.set("Color", "red");
  await js.publish("s.a", "12345", { headers });
  const m = await (await add({ headers_only: true })).next();
  assert.equal(m.data.length, 0);
  assert.equal(m.headers.get("Color"), "red");
  assert.equal(m.headers.get("Nats-Msg-Size"), "5");
});

consumerTest("restart: a durable goes on where it was acknowledged", async (t) => {
  const c = await t.add();
  await t.publish(...letters);
  const three = await collect(c.fetch({ max_messages: 3 }));
  await three[0].ackAck();
  await three[2].ackAck();
  const seen = recordStatus(t.nc);
  assert.equal(await t.server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0, "the disconnect");
  await t.server.restart();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  const before = await t.info();
  assert.equal(before.ack_floor.stream_seq, 1);
  assert.equal(before.delivered.stream_seq, 3);
  assert.equal(before.num_ack_pending, 1);
  assert.equal(before.num_pending, 2);
  await t.jsm.consumers.update("S", "c", { ack_wait: ns(200) });
  const rest = await collect(c.fetch({ max_messages: 2 }));
  assert.deepEqual(seqs(rest), [4, 5]);
  for (const m of rest) await m.ackAck();
});

consumerTest("restart: a consume goes on", async (t) => {
  const c = await t.add({ ack_wait: ns(500) });
  const got = new Set();
  const messages = await c.consume({
    expires: 2000,
    callback: (m) => (got.add(m.seq), m.ack()),
  });
  await t.publish("s.a one");
  await eventually(() => got.has(1), "the first message");
  const seen = recordStatus(t.nc);
  assert.equal(await t.server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0, "the disconnect");
  await t.server.restart();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  await t.publish("s.a two");
  await eventually(() => got.has(2), "the second message");
  await messages.close();
});

consumerTest("pause: nothing comes until it is resumed", async (t) => {
  const c = await t.add();
  await t.publish("s.a one");
  const until = new Date(Date.now() + 3_600_000);
  const paused = await t.jsm.consumers.pause("S", "c", until);
  assert.equal(paused.paused, true);
  assert.equal(new Date(paused.pause_until).getTime(), until.getTime());
  assert.equal((await t.info()).paused, true);
  assert.equal(await c.next({ expires: 1000 }), null);
  assert.equal((await t.jsm.consumers.resume("S", "c")).paused, false);
  assert.equal(text(await c.next()), "one");
});

consumerTest("pause: ends at its time", async (t) => {
  const c = await t.add();
  await t.publish("s.a one");
  await t.jsm.consumers.pause("S", "c", new Date(Date.now() + 500));
  assert.equal(text(await c.next({ expires: 15_000 })), "one");
});

consumerTest("ephemeral: gone when nobody has used it for its time", async ({ jsm, js, state }) => {
  const { name } = await jsm.consumers.add("S", {
    ack_policy: "explicit",
    inactive_threshold: ns(300),
  });
  assert.equal((await state()).consumer_count, 1);
  await eventually(async () => (await state()).consumer_count === 0, "the removal");
  await refused(jsm.consumers.info("S", name), 10014);
  await refused(js.consumers.get("S", name), 10014);
});

consumerTest("ephemeral: stays while a pull request waits", async ({ jsm, js, publish }) => {
  const { name } = await jsm.consumers.add("S", {
    ack_policy: "explicit",
    inactive_threshold: ns(300),
  });
  const c = await js.consumers.get("S", name);
  assert.equal(await c.next({ expires: 1500 }), null);
  await publish("s.a one");
  assert.equal(text(await c.next()), "one");
});

consumerTest("a stream takes its consumers with it", async ({ jsm, add }) => {
  const c = await add();
  const waiting = c.next({ expires: 15_000 }).catch((error) => error);
  await eventually(async () => (await c.info()).num_waiting === 1, "the pull request");
  await jsm.streams.delete("S");
  // One generation of the client says that nothing came, the other why.
  const end = await waiting;
  assert.ok(end === null || /consumer deleted/i.test(end.message), end);
  await refused(jsm.consumers.info("S", "c"), 10059);
});
