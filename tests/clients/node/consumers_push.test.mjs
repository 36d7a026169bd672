// Push consumers, ordered consumers, and streams that keep messages for their consumers.
import assert from "node:assert/strict";

import { eventually, recordStatus } from "./harness.mjs";
import { collect, dataOf, first, ns, refused, seqs, streamTest, text } from "./streams.mjs";

const pushTest = (name, ...rest) => streamTest(`consumers: push: ${name}`, ...rest);
const orderedTest = (name, ...rest) => streamTest(`consumers: ordered: ${name}`, ...rest);
const letters = ["s.a one", "s.b two", "s.a three", "s.c four", "s.b five"];

/** The messages of a push consumer in an array that grows. */
async function record(t, each = () => {}) {
  const messages = await t.lib.push(t.js, "S", "c");
  const got = [];
  const all = (async () => {
    for await (const m of messages) {
      got.push(m);
      each(m);
    }
  })();
  got.end = async () => {
    t.lib.endPush(messages);
    await all;
  };
  return got;
}

pushTest("what was stored and what is stored comes by itself", async (t) => {
  await t.add({ deliver_subject: "d.c" });
  await t.publish("s.a one", "s.b two");
  assert.equal((await t.info()).push_bound ?? false, false);
  assert.equal((await t.info()).num_pending, 2);
  const got = await record(t, (m) => m.ack());
  await eventually(() => got.length === 2, "the stored messages");
  assert.equal((await t.info()).push_bound, true);
  await t.publish("s.c three");
  await eventually(() => got.length === 3, "the new message");
  assert.deepEqual(dataOf(got), ["one", "two", "three"]);
  assert.deepEqual(seqs(got), [1, 2, 3]);
  await eventually(async () => (await t.info()).ack_floor.stream_seq === 3, "the acks");
  await got.end();
  await eventually(async () => !(await t.info()).push_bound, "the end of the interest");
});

pushTest("what is not acknowledged comes again, what is refused at once", async (t) => {
  await t.add({ deliver_subject: "d.c", ack_wait: ns(300) });
  const got = await record(t, (m) => {
    if (m.seq === 1 && m.info.deliveryCount === 1) return;
    if (m.seq === 2 && m.info.deliveryCount === 1) m.nak();
    else m.ack();
  });
  await t.publish("s.a one", "s.a two");
  await eventually(() => got.filter((m) => m.redelivered).length === 2, "the redeliveries");
  await eventually(async () => (await t.info()).ack_floor.stream_seq === 2, "the acks");
  await got.end();
});

pushTest("heartbeats are sent while there is nothing else", async (t) => {
  await t.add({ deliver_subject: "d.c", idle_heartbeat: ns(200) });
  await t.publish("s.a one");
  const raw = t.nc.subscribe("d.c");
  const [one, two, three] = await first(raw, 3);
  assert.equal(text(one), "one");
  for (const beat of [two, three]) {
    assert.equal(beat.headers.code, 100);
    assert.equal(beat.headers.description, "Idle Heartbeat");
    assert.equal(beat.headers.get("Nats-Last-Consumer"), "1");
    assert.equal(beat.headers.get("Nats-Last-Stream"), "1");
  }
});

pushTest("flow control: megabytes arrive whole and in order", async (t) => {
  const config = { flow_control: true, idle_heartbeat: ns(1000), ack_policy: "none" };
  await t.add({ deliver_subject: "d.c", ...config });
  const payload = "x".repeat(64 * 1024);
  await Promise.all(Array.from({ length: 200 }, () => t.js.publish("s.a", payload)));
  const got = await record(t);
  await eventually(() => got.length === 200, "the messages");
  assert.deepEqual(seqs(got), Array.from({ length: 200 }, (_, i) => i + 1));
  assert.ok(got.every((m) => m.data.length === payload.length));
  await got.end();
});

pushTest("a deliver group shares the messages", async (t) => {
  await t.add({ deliver_subject: "d.c", deliver_group: "q" });
  const two = [await record(t, (m) => m.ack()), await record(t, (m) => m.ack())];
  await t.nc.flush();
  await Promise.all(Array.from({ length: 200 }, () => t.js.publish("s.a", "x")));
  const all = () => [...two[0], ...two[1]];
  await eventually(() => all().length === 200, "the messages");
  assert.deepEqual(seqs(all()).sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i + 1));
  assert.ok(two.every((got) => got.length > 0));
  await eventually(async () => (await t.info()).ack_floor.stream_seq === 200, "the acks");
  await two[0].end();
  await t.publish("s.a last");
  await eventually(() => all().length === 201, "the last message");
  await two[1].end();
});

pushTest("paused: heartbeats but no messages", async (t) => {
  await t.add({ deliver_subject: "d.c", idle_heartbeat: ns(200) });
  await t.jsm.consumers.pause("S", "c", new Date(Date.now() + 3_600_000));
  await t.publish("s.a one");
  const got = [];
  t.nc.subscribe("d.c", { callback: (_, m) => got.push(m.headers?.code ?? text(m)) });
  await eventually(() => got.length >= 2, "the heartbeats");
  assert.ok(got.every((code) => code === 100));
  await t.jsm.consumers.resume("S", "c");
  await eventually(() => got.includes("one"), "the message");
});

pushTest("an ephemeral is gone when nobody has listened for its time", async (t) => {
  const sub = t.nc.subscribe("d.e");
  await t.jsm.consumers.add("S", { deliver_subject: "d.e", inactive_threshold: ns(300) });
  await t.publish("s.a one");
  await first(sub, 1);
  await eventually(async () => (await t.state()).consumer_count === 0, "the removal");
});

pushTest("restart: goes on where it was acknowledged", async (t) => {
  await t.add({ deliver_subject: "d.c" });
  const got = await record(t, (m) => m.ack());
  await t.publish("s.a one", "s.a two");
  await eventually(async () => (await t.info()).ack_floor.stream_seq === 2, "the acks");
  const seen = recordStatus(t.nc);
  assert.equal(await t.server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0, "the disconnect");
  await t.server.restart();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  await t.publish("s.a three");
  await eventually(() => got.length >= 3, "the third message");
  assert.deepEqual(dataOf(got), ["one", "two", "three"]);
  await got.end();
});

orderedTest("everything, in order", async ({ js, publish }) => {
  await publish(...letters);
  const c = await js.consumers.get("S");
  const got = await first(await c.consume(), 5);
  assert.deepEqual(dataOf(got), ["one", "two", "three", "four", "five"]);
});

orderedTest("from a sequence, of some subjects", async ({ lib, js, publish }) => {
  await publish(...letters);
  const start = { deliver_policy: "by_start_sequence", opt_start_seq: 3 };
  const c = await js.consumers.get("S", start);
  assert.deepEqual(seqs(await collect(c.fetch({ max_messages: 2 }))), [3, 4]);
  const filtered = await js.consumers.get("S", lib.orderedFilter(["s.b", "s.c"]));
  assert.deepEqual(seqs(await collect(filtered.fetch({ max_messages: 3 }))), [2, 4, 5]);
});

orderedTest("goes on when its consumer is gone", async ({ jsm, js, publish }) => {
  await publish("s.a one", "s.a two");
  const c = await js.consumers.get("S");
  const got = [];
  const messages = await c.consume({ expires: 1000, callback: (m) => got.push(m.seq) });
  await eventually(() => got.length === 2, "the first messages");
  for (const { name } of await collect(jsm.consumers.list("S")))
    await jsm.consumers.delete("S", name);
  await publish("s.a three");
  await eventually(() => got.length >= 3, "the third message");
  assert.deepEqual(got, [1, 2, 3]);
  await messages.close();
});

orderedTest("goes on over a restart", async (t) => {
  await t.publish("s.a one");
  const c = await t.js.consumers.get("S");
  const got = [];
  const messages = await c.consume({ expires: 1000, callback: (m) => got.push(m.seq) });
  await eventually(() => got.length === 1, "the first message");
  const seen = recordStatus(t.nc);
  assert.equal(await t.server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0, "the disconnect");
  await t.server.restart();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  await t.publish("s.a two");
  await eventually(() => got.length >= 2, "the second message");
  assert.deepEqual(got, [1, 2]);
  await messages.close();
});

streamTest(
  "consumers: work queue: an acknowledged message is removed",
  async (t) => {
    const c = await t.add();
    await t.publish("s.a one", "s.a two", "s.a three");
    const [one, two] = await collect(c.fetch({ max_messages: 2 }));
    await two.ackAck();
    assert.equal((await t.state()).messages, 2);
    await one.ackAck();
    await eventually(async () => (await t.state()).messages === 1, "the removal");
    assert.equal((await t.state()).first_seq, 3);
    const three = await c.next();
    three.term();
    await eventually(async () => (await t.state()).messages === 0, "the removal");
    await t.publish("s.a four");
    assert.equal((await c.next()).seq, 4);
  },
  { retention: "workqueue" },
);

streamTest(
  "consumers: work queue: each message has one consumer",
  async ({ jsm, add }) => {
    await add({ filter_subject: "s.a" });
    const more = (config) =>
      jsm.consumers.add("S", { durable_name: "d", ack_policy: "explicit", ...config });
    await refused(more({}), 10099);
    await refused(more({ filter_subject: "s.a" }), 10100);
    await refused(more({ filter_subject: "s.b", ack_policy: "none" }), 10084);
    await refused(more({ filter_subject: "s.b", deliver_policy: "last" }), 10101);
    assert.equal((await more({ filter_subject: "s.b" })).name, "d");
  },
  { retention: "workqueue" },
);

streamTest(
  "consumers: interest: a message is kept until all have acknowledged it",
  async (t) => {
    await t.publish("s.a lost");
    assert.equal((await t.state()).messages, 0);
    const c = await t.add();
    await t.jsm.consumers.add("S", {
      durable_name: "d",
      ack_policy: "explicit",
      filter_subject: "s.a",
    });
    const d = await t.js.consumers.get("S", "d");
    await t.publish("s.a one", "s.b two");
    for (const m of await collect(c.fetch({ max_messages: 2 }))) await m.ackAck();
    await eventually(async () => (await t.state()).messages === 1, "the first removal");
    await (await d.next()).ackAck();
    await eventually(async () => (await t.state()).messages === 0, "the second removal");
    await t.publish("s.a three");
    assert.equal((await t.state()).messages, 1);
    await (await c.next()).ackAck();
    await t.jsm.consumers.delete("S", "d");
    await eventually(async () => (await t.state()).messages === 0, "the third removal");
  },
  { retention: "interest" },
);
