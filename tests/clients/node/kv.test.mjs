// Key-value buckets, as the clients make them of streams and consumers.
import assert from "node:assert/strict";

import { clientTest, eventually, recordStatus } from "./harness.mjs";
import { collect, first, refused } from "./streams.mjs";

/** Declares a test with a bucket B; `options` are its configuration. */
function kvTest(name, body, options = {}) {
  clientTest(
    `kv: ${name}`,
    async (t) => {
      const nc = await t.connect();
      const kv = await t.lib.bucket(nc, "B", options);
      await body({ ...t, nc, kv, options });
    },
    ["-js"],
  );
}

/** The entries that a watcher yields, as [key, value or operation], in an array that grows. */
async function watched(kv, options) {
  const seen = [];
  const iterator = await kv.watch(options);
  (async () => {
    for await (const e of iterator)
      seen.push([e.key, e.operation === "PUT" ? e.string() : e.operation]);
  })();
  seen.end = () => iterator.stop();
  return seen;
}

const sorted = async (keys) => (await collect(keys)).sort();
const values = (entries) => entries.map((e) => (e.operation === "PUT" ? e.string() : e.operation));

kvTest("what is put is got", async ({ kv }) => {
  assert.equal(await kv.get("a"), null);
  assert.equal(await kv.put("a", "one"), 1);
  assert.equal(await kv.put("a", "two"), 2);
  assert.equal(await kv.put("b.c", new Uint8Array([0, 1, 255])), 3);
  const entry = await kv.get("a");
  assert.equal(entry.bucket, "B");
  assert.equal(entry.key, "a");
  assert.equal(entry.string(), "two");
  assert.equal(entry.revision, 2);
  assert.equal(entry.operation, "PUT");
  assert.equal(entry.length, 3);
  assert.ok(entry.created instanceof Date);
  assert.deepEqual([...(await kv.get("b.c")).value], [0, 1, 255]);
  assert.equal(await kv.put("empty", ""), 4);
  assert.equal((await kv.get("empty")).length, 0);
});

kvTest("create: only what is not there", async ({ kv }) => {
  assert.equal(await kv.create("a", "one"), 1);
  await refused(kv.create("a", "two"), 10071);
  assert.equal((await kv.get("a")).string(), "one");
  await kv.delete("a");
  assert.equal(await kv.create("a", "again"), 3);
  await kv.purge("a");
  assert.equal(await kv.create("a", "and again"), 5);
});

kvTest("update: only what has this revision", async ({ kv }) => {
  const revision = await kv.put("a", "one");
  assert.equal(await kv.update("a", "two", revision), 2);
  await refused(kv.update("a", "three", revision), 10071);
  await refused(kv.update("none", "x", 7), 10071);
  assert.equal((await kv.get("a")).string(), "two");
});

kvTest("update: of many at once one wins", async ({ kv }) => {
  const revision = await kv.put("a", "start");
  const tries = Array.from({ length: 20 }, (_, i) => kv.update("a", `${i}`, revision));
  const settled = await Promise.allSettled(tries);
  assert.equal(settled.filter((s) => s.status === "fulfilled").length, 1);
  assert.equal((await kv.get("a")).revision, revision + 1);
});

kvTest(
  "delete leaves a marker, purge nothing else",
  async ({ kv }) => {
    for (const value of ["one", "two", "three"]) await kv.put("a", value);
    await kv.put("b", "other");
    await kv.delete("a");
    const deleted = await kv.get("a");
    assert.equal(deleted.operation, "DEL");
    assert.equal(deleted.length, 0);
    assert.deepEqual(values(await collect(await kv.history({ key: "a" }))), [
      "one",
      "two",
      "three",
      "DEL",
    ]);
    await kv.purge("a");
    assert.equal((await kv.get("a")).operation, "PURGE");
    assert.deepEqual(values(await collect(await kv.history({ key: "a" }))), ["PURGE"]);
    assert.equal((await kv.get("b")).string(), "other");
    await refused(kv.delete("b", { previousSeq: 1 }), 10071);
    await kv.delete("b", { previousSeq: 4 });
    assert.equal((await kv.get("b")).operation, "DEL");
  },
  { history: 5 },
);

kvTest(
  "history: as many as the bucket keeps",
  async ({ kv }) => {
    for (let i = 1; i <= 5; ++i) await kv.put("a", `${i}`);
    await kv.put("b", "x");
    const history = await collect(await kv.history({ key: "a" }));
    assert.deepEqual(values(history), ["3", "4", "5"]);
    assert.deepEqual(history.map((e) => e.revision), [3, 4, 5]);
    assert.deepEqual(history.map((e) => e.delta), [2, 1, 0]);
    assert.deepEqual(values(await collect(await kv.history())), ["3", "4", "5", "x"]);
    assert.equal((await kv.get("a", { revision: 4 })).string(), "4");
    assert.equal(await kv.get("a", { revision: 1 }), null);
    assert.equal(await kv.get("b", { revision: 4 }), null);
  },
  { history: 3 },
);

kvTest("keys: all, and of a pattern", async ({ kv }) => {
  assert.deepEqual(await sorted(kv.keys()), []);
  for (const key of ["a", "b.x", "b.y", "c.x.z", "gone"]) await kv.put(key, key);
  await kv.delete("gone");
  assert.deepEqual(await sorted(kv.keys()), ["a", "b.x", "b.y", "c.x.z"]);
  assert.deepEqual(await sorted(kv.keys("b.*")), ["b.x", "b.y"]);
  assert.deepEqual(await sorted(kv.keys(["a", "c.>"])), ["a", "c.x.z"]);
});

kvTest("keys: a thousand", async ({ kv }) => {
  const names = Array.from({ length: 1000 }, (_, i) => `k.${i}`);
  await Promise.all(names.map((key) => kv.put(key, "x")));
  assert.deepEqual(await sorted(kv.keys()), names.sort());
});

kvTest("watch: the last values, then what happens", async ({ kv }) => {
  await kv.put("a", "one");
  await kv.put("a", "two");
  await kv.put("b", "x");
  const seen = await watched(kv);
  await eventually(() => seen.length === 2, "the values");
  await kv.put("a", "three");
  await kv.delete("b");
  await kv.purge("a");
  await eventually(() => seen.length === 5, "the changes");
  assert.deepEqual([...seen], [
    ["a", "two"],
    ["b", "x"],
    ["a", "three"],
    ["b", "DEL"],
    ["a", "PURGE"],
  ]);
  seen.end();
});

kvTest("watch: an empty bucket", async ({ kv }) => {
  const seen = await watched(kv);
  await kv.put("a", "one");
  await eventually(() => seen.length === 1, "the value");
  assert.deepEqual([...seen], [["a", "one"]]);
  seen.end();
});

kvTest("watch: some keys", async ({ kv }) => {
  for (const key of ["a", "b.x", "b.y", "c"]) await kv.put(key, "1");
  const pattern = await watched(kv, { key: "b.*" });
  const several = await watched(kv, { key: ["a", "c"] });
  await eventually(() => pattern.length === 2 && several.length === 2, "the values");
  for (const key of ["a", "b.x", "d"]) await kv.put(key, "2");
  await eventually(() => pattern.length === 3 && several.length === 3, "the changes");
  assert.deepEqual([...pattern], [["b.x", "1"], ["b.y", "1"], ["b.x", "2"]]);
  assert.deepEqual([...several], [["a", "1"], ["c", "1"], ["a", "2"]]);
  pattern.end();
  several.end();
});

kvTest(
  "watch: all history, updates only, from a revision, without deletes",
  async ({ kv }) => {
    for (const value of ["1", "2", "3"]) await kv.put("a", value);
    await kv.delete("b");
    const all = await watched(kv, { include: "history" });
    const updates = await watched(kv, { include: "updates" });
    const resumed = await watched(kv, { include: "history", resumeFromRevision: 3 });
    const living = await watched(kv, { ignoreDeletes: true });
    await eventually(() => all.length === 4, "the history");
    await kv.put("c", "4");
    await kv.delete("c");
    await kv.put("c", "5");
    const end = (seen) => seen.some(([, value]) => value === "5");
    await eventually(() => [all, updates, resumed, living].every(end), "the last change");
    const changes = [["c", "4"], ["c", "DEL"], ["c", "5"]];
    assert.deepEqual([...all].slice(4), changes);
    assert.deepEqual([...all].slice(0, 4), [["a", "1"], ["a", "2"], ["a", "3"], ["b", "DEL"]]);
    assert.deepEqual([...updates], changes);
    assert.deepEqual([...resumed], [["a", "3"], ["b", "DEL"], ...changes]);
    assert.deepEqual([...living], [["a", "3"], ["c", "4"], ["c", "5"]]);
    [all, updates, resumed, living].forEach((seen) => seen.end());
  },
  { history: 5 },
);

kvTest("watch: headers only", async ({ kv }) => {
  await kv.put("a", "12345");
  const [entry] = await first(await kv.watch({ headers_only: true }), 1);
  assert.equal(entry.value.length, 0);
  assert.equal(entry.length, 5);
});

kvTest("restart: values and revisions are there", async ({ nc, kv, server }) => {
  await kv.put("a", "one");
  const events = recordStatus(nc);
  assert.equal(await server.stop(), 0);
  await eventually(() => events.count("disconnect") > 0, "the disconnect");
  await server.restart();
  await eventually(() => events.count("reconnect") > 0, "the reconnect");
  assert.equal((await kv.get("a")).string(), "one");
  assert.equal(await kv.put("a", "two"), 2);
  assert.equal((await kv.get("a")).revision, 2);
  const seen = await watched(kv);
  await eventually(() => seen.length === 1, "the value");
  seen.end();
});

kvTest(
  "ttl: a value is gone after the bucket's time",
  async ({ kv }) => {
    await kv.put("a", "one");
    assert.equal((await kv.get("a")).string(), "one");
    await eventually(async () => (await kv.get("a")) === null, "the end of the value");
    assert.equal((await kv.status()).values, 0);
  },
  { ttl: 500 },
);

kvTest(
  "ttl: a key with a time of its own leaves a marker",
  async ({ lib, kv }) => {
    if (!lib.hasMarkers) return;
    const seen = await watched(kv);
    await kv.create("a", "one", "1s");
    assert.equal((await kv.get("a")).string(), "one");
    await eventually(() => seen.length === 2, "the marker");
    assert.deepEqual([...seen], [["a", "one"], ["a", "PURGE"]]);
    await eventually(async () => (await kv.get("a")) === null, "the end of the marker");
    await kv.put("b", "two");
    await kv.purge("b", { ttl: "1s" });
    assert.equal((await kv.get("b")).operation, "PURGE");
    await eventually(async () => (await kv.get("b")) === null, "the end of the purge");
    seen.end();
  },
  { markerTTL: 1000 },
);

kvTest(
  "status: what the bucket is and holds",
  async ({ kv }) => {
    await kv.put("a", "one");
    await kv.put("a", "two");
    await kv.put("b", "three");
    const status = await kv.status();
    assert.equal(status.bucket, "B");
    assert.equal(status.values, 3);
    assert.equal(status.history, 4);
    assert.equal(status.ttl, 3_600_000);
    assert.equal(status.replicas, 1);
    assert.equal(status.description, "of a test");
    assert.equal(status.maxValueSize, 1000);
    assert.equal(status.storage, "memory");
    assert.ok(status.size > 0);
    assert.equal(status.streamInfo.config.name, "KV_B");
    assert.deepEqual(status.streamInfo.config.subjects, ["$KV.B.>"]);
    assert.equal(status.streamInfo.config.max_msgs_per_subject, 4);
    assert.equal(status.streamInfo.config.discard, "new");
    assert.equal(status.streamInfo.config.allow_rollup_hdrs, true);
    assert.equal(status.streamInfo.config.allow_direct, true);
    await refused(kv.put("c", "x".repeat(1001)), 10054);
  },
  {
    history: 4,
    ttl: 3_600_000,
    description: "of a test",
    maxValueSize: 1000,
    storage: "memory",
    allow_direct: true,
  },
);

kvTest("destroy: the bucket is gone", async ({ lib, nc, kv }) => {
  await kv.put("a", "one");
  assert.equal(await kv.destroy(), true);
  await assert.rejects(kv.put("a", "one"));
  const again = await lib.bucket(nc, "B", {});
  assert.equal(await again.get("a"), null);
});
