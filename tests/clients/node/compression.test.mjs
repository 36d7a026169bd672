// Streams that store compressed: what is seen of that, which is nothing but the configuration.
import assert from "node:assert/strict";

import { eventually, texts } from "./harness.mjs";
import { collect, first, streamTest } from "./streams.mjs";

const s2 = { compression: "s2" };

/** Names that come again and values that do not; every tenth is small. */
const order = (i) => {
  const item = (_, k) => ({ article: `A-${i * k}`, quantity: k });
  const items = Array.from({ length: i % 10 === 0 ? 0 : 20 }, item);
  return JSON.stringify({ order: i * 7919, items });
};
const noise = (i) => {
  const code = (_, k) => 33 + (((i + 1) * k * k) % 90);
  return String.fromCharCode(...Array.from({ length: 500 }, code));
};

async function publish({ lib, js }, count, text = order) {
  for (let i = 1; i <= count; ++i) {
    const headers = lib.headers();
    headers.set("Number", `${i}`);
    headers.set("Padding", "p".repeat(i * 10));
    await js.publish(`s.${i % 3}`, text(i), i % 2 ? { headers } : {});
  }
}

streamTest("compression: everything that reads a stream gets what was published", async (t) => {
  const { js, jsm, add, lib } = t;
  await publish(t, 40);
  const wanted = Array.from({ length: 40 }, (_, i) => order(i + 1));
  const consumer = await add();
  const fetched = await collect(await consumer.fetch({ max_messages: 40 }));
  assert.deepEqual(texts(fetched), wanted);
  for (const m of fetched) {
    assert.equal(m.headers?.get("Number") ?? "", m.seq % 2 ? `${m.seq}` : "");
    assert.equal(m.headers?.get("Padding") ?? "", m.seq % 2 ? "p".repeat(m.seq * 10) : "");
    m.nak();
  }
  const again = await collect(await consumer.fetch({ max_messages: 40 }));
  assert.deepEqual(texts(again).sort(), [...wanted].sort());
  const ordered = await js.consumers.get("S", lib.orderedFilter(["s.1"]));
  const some = await first(await ordered.consume(), 14);
  assert.deepEqual(texts(some), wanted.filter((_, i) => (i + 1) % 3 === 1));
  assert.equal((await jsm.streams.getMessage("S", { seq: 7 })).string(), wanted[6]);
  assert.equal((await jsm.direct.getMessage("S", { seq: 8 })).string(), wanted[7]);
  if (!lib.getBatch) return;
  const batch = await collect(await lib.getBatch(jsm, "S", { seq: 1, batch: 40 }));
  assert.deepEqual(texts(batch), wanted);
  const lasts = await collect(await lib.getLastMessages(jsm, "S", { multi_last: ["s.>"] }));
  assert.deepEqual(texts(lasts), wanted.slice(37));
}, { ...s2, allow_direct: true });

streamTest("compression: it is switched on and off, and what counts stays the same", async (t) => {
  const { lib, jsm, connect, server, state } = t;
  const bytes = [];
  for (const compression of ["s2", "none", "s2"]) {
    const info = await jsm.streams.update("S", { compression });
    assert.equal(info.config.compression, compression);
    await jsm.streams.purge("S");
    await publish(t, 20);
    bytes.push((await state()).bytes);
  }
  assert.equal(new Set(bytes).size, 1);
  await jsm.streams.update("S", { compression: "none" });
  await publish(t, 20, noise);
  const before = await state();
  assert.equal(await server.stop(), 0);
  await server.restart();
  const again = await lib.jetstreamManager(await connect());
  assert.deepEqual((await again.streams.info("S")).state, before);
  const seq = before.first_seq;
  const read = async (at) => (await again.streams.getMessage("S", { seq: at })).string();
  for (let i = 1; i <= 20; ++i) {
    assert.equal(await read(seq + i - 1), order(i));
    assert.equal(await read(seq + i + 19), noise(i));
  }
});

streamTest("compression: copies need not store as their origins do", async (t) => {
  const { jsm } = t;
  await publish(t, 20);
  const copies = { M: { mirror: { name: "S" } }, N: { sources: [{ name: "S" }], ...s2 } };
  for (const [name, config] of Object.entries(copies)) {
    await jsm.streams.add({ name, ...config });
    const copied = async () => (await jsm.streams.info(name)).state.messages === 20;
    await eventually(copied, `20 messages in ${name}`);
    for (let seq = 1; seq <= 20; ++seq) {
      const m = await jsm.streams.getMessage(name, { seq });
      assert.equal(m.string(), order(seq));
    }
  }
  const { state: origin } = await jsm.streams.info("S");
  assert.equal((await jsm.streams.info("M")).state.bytes, origin.bytes);
}, s2);

streamTest("compression: a stream in memory says what it was told", async ({ jsm, js, state }) => {
  assert.equal((await jsm.streams.info("S")).config.compression, "s2");
  await js.publish("s.a", "x".repeat(1000));
  assert.equal((await state()).bytes, 1000 + 3 + 16);
}, { ...s2, storage: "memory" });
