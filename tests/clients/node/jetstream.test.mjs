// Streams, as the clients' own JetStream API shows them.
import assert from "node:assert/strict";

import { eventually, recordStatus } from "./harness.mjs";
import { collect, refused, streamTest as anyStreamTest, text } from "./streams.mjs";

const streamTest = (name, ...rest) => anyStreamTest(`jetstream: ${name}`, ...rest);

streamTest("what is published is acknowledged and read back", async ({ js, jsm, state }) => {
  const first = await js.publish("s.a", "one");
  assert.equal(first.stream, "S");
  assert.equal(first.seq, 1);
  assert.equal(first.duplicate, false);
  assert.equal((await js.publish("s.b", "two")).seq, 2);
  const message = await jsm.streams.getMessage("S", { seq: 2 });
  assert.equal(message.subject, "s.b");
  assert.equal(text(message), "two");
  assert.equal((await state()).messages, 2);
});

streamTest("many at once are acknowledged each with its own sequence", async ({ js }) => {
  const acks = await Promise.all(Array.from({ length: 500 }, () => js.publish("s.a", "x")));
  assert.deepEqual(acks.map((ack) => ack.seq), Array.from({ length: 500 }, (_, i) => i + 1));
});

streamTest("a message id is stored once, also over a restart", async (t) => {
  assert.equal((await t.js.publish("s.a", "x", { msgID: "one" })).duplicate, false);
  assert.equal((await t.js.publish("s.a", "x", { msgID: "one" })).duplicate, true);
  const seen = recordStatus(t.nc);
  assert.equal(await t.server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0, "the disconnect");
  await t.server.restart();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  const again = await t.js.publish("s.a", "x", { msgID: "one" });
  assert.equal(again.duplicate, true);
  assert.equal(again.seq, 1);
  assert.equal((await t.state()).messages, 1);
});

streamTest("expectations that do not hold are refused", async ({ js, state }) => {
  await js.publish("s.a", "x", { msgID: "one" });
  await refused(js.publish("s.a", "x", { expect: { streamName: "T" } }), 10060);
  await refused(js.publish("s.a", "x", { expect: { lastSequence: 7 } }), 10071);
  await refused(js.publish("s.a", "x", { expect: { lastSubjectSequence: 7 } }), 10071);
  await refused(js.publish("s.a", "x", { expect: { lastMsgID: "two" } }), 10070);
  await js.publish("s.a", "x", { expect: { lastSequence: 1, lastMsgID: "one" } });
  await js.publish("s.b", "x", { expect: { lastSubjectSequence: 0 } });
  assert.equal((await state()).messages, 3);
});

streamTest("streams are updated, listed, named, found and deleted", async ({ jsm, js }) => {
  await jsm.streams.add({ name: "T", subjects: ["t"], storage: "memory" });
  const updated = await jsm.streams.update("S", { subjects: ["s.>", "u"] });
  assert.deepEqual(updated.config.subjects, ["s.>", "u"]);
  assert.equal((await js.publish("u", "x")).stream, "S");
  const listed = await collect(jsm.streams.list());
  assert.deepEqual(listed.map((info) => info.config.name).sort(), ["S", "T"]);
  assert.deepEqual((await collect(jsm.streams.names())).sort(), ["S", "T"]);
  assert.equal(await jsm.streams.find("t"), "T");
  assert.equal(await jsm.streams.delete("T"), true);
  await refused(jsm.streams.info("T"), 10059);
  const account = await jsm.getAccountInfo();
  assert.equal(account.streams, 1);
});

streamTest("messages are deleted and purged", async ({ jsm, js, state }) => {
  for (const subject of ["s.a", "s.b", "s.a", "s.b", "s.a"]) await js.publish(subject, "x");
  assert.equal(await jsm.streams.deleteMessage("S", 2), true);
  assert.equal((await jsm.streams.purge("S", { filter: "s.a", keep: 1 })).purged, 2);
  const details = await jsm.streams.info("S", { deleted_details: true, subjects_filter: ">" });
  assert.deepEqual(details.state.subjects, { "s.a": 1, "s.b": 1 });
  assert.equal((await jsm.streams.purge("S", { seq: 5 })).purged, 1);
  assert.equal((await jsm.streams.purge("S")).purged, 1);
  const left = await state();
  assert.equal(left.messages, 0);
  assert.equal(left.first_seq, 6);
});

streamTest(
  "direct gets: one, a batch, the last of several subjects",
  async ({ lib, jsm, js }) => {
    for (let i = 0; i < 20; ++i) await js.publish(`s.${i % 4}`, `message ${i}`);
    const one = await jsm.direct.getMessage("S", { seq: 3 });
    assert.equal(text(one), "message 2");
    const last = await jsm.direct.getMessage("S", { last_by_subj: "s.1" });
    assert.equal(last.seq, 18);
    if (lib.getBatch) {
      const batch = await collect(lib.getBatch(jsm, "S", { seq: 5, batch: 10 }));
      assert.deepEqual(batch.map((m) => m.seq), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    }
    const lasts = await collect(lib.getLastMessages(jsm, "S", { multi_last: ["s.0", "s.3"] }));
    assert.deepEqual(lasts.map((m) => m.seq), [17, 20]);
  },
  { allow_direct: true },
);

streamTest(
  "headers come back with the message, rollups remove what was there",
  async ({ lib, jsm, js, state }) => {
    const headers = lib.headers();
    headers.append("Color", "red");
    headers.append("Color", "blue");
    await js.publish("s.a", "x", { headers });
    const message = await jsm.streams.getMessage("S", { seq: 1 });
    assert.deepEqual(message.header.values("Color"), ["red", "blue"]);
    const rollup = lib.headers();
    rollup.set("Nats-Rollup", "sub");
    await js.publish("s.a", "y", { headers: rollup });
    assert.equal((await state()).messages, 1);
  },
  { allow_rollup_hdrs: true },
);
