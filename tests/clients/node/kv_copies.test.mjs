// Buckets that mirror another one, and that gather several.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { clientTest, eventually, recordStatus } from "./harness.mjs";
import { collect } from "./streams.mjs";

/** Declares a test with a bucket A, which holds a = "one" and b = "two" at first. */
function copyTest(name, body, flags = ["-js"]) {
  clientTest(
    `kv copies: ${name}`,
    async ({ lib, connect, server }) => {
      const nc = await connect();
      const bucket = (named, options = {}) => lib.bucket(nc, named, options);
      const origin = await bucket("A");
      await origin.put("a", "one");
      await origin.put("b", "two");
      await body({ lib, nc, server, connect, bucket, origin });
    },
    flags,
  );
}

/** A mirror's keys lie under the mirror's own name. */
const mirrorOfA = {
  mirror: { name: "A", subject_transforms: [{ src: "$KV.A.>", dest: "$KV.M.>" }] },
};
const sorted = async (keys) => (await collect(keys)).sort();
const got = async (kv, key) => (await kv.get(key))?.string();
const text = (e) => (e.operation === "PUT" ? e.string() : e.operation);

/** What a watcher yields, as "key value", in an array that grows. */
async function watched(kv) {
  const seen = [];
  const iterator = await kv.watch();
  (async () => {
    for await (const e of iterator) seen.push(`${e.key} ${text(e)}`);
  })();
  return { seen, end: () => iterator.stop() };
}

copyTest("a mirror has what its origin has, as it changes", async ({ bucket, origin }) => {
  const mirror = await bucket("M", mirrorOfA);
  await eventually(async () => (await got(mirror, "b")) === "two", "b is there");
  assert.equal((await mirror.get("a")).revision, 1);
  assert.deepEqual(await sorted(mirror.keys()), ["a", "b"]);
  const watcher = await watched(mirror);
  await eventually(() => watcher.seen.length === 2, "what is there is seen");
  await origin.put("a", "again");
  await origin.put("c", "three");
  await origin.delete("b");
  await eventually(() => watcher.seen.length === 5, "changes are seen");
  assert.deepEqual(watcher.seen.slice(2), ["a again", "c three", "b DEL"]);
  watcher.end();
  assert.equal((await mirror.get("a")).revision, 3);
  assert.equal((await mirror.get("b")).operation, "DEL");
  assert.deepEqual(await sorted(mirror.keys()), ["a", "c"]);
  const status = await mirror.status();
  assert.equal(status.values, 3);
  assert.equal(status.streamInfo.config.mirror.name, "KV_A");
});

copyTest("what is purged in the origin is purged in the mirror", async ({ bucket, origin }) => {
  const mirror = await bucket("M", { ...mirrorOfA, history: 5 });
  await origin.purge("a");
  await eventually(async () => (await mirror.get("a"))?.operation === "PURGE", "the purge");
  assert.equal((await collect(mirror.history({ key: "a" }))).length, 1);
});

copyTest("a bucket gathers others and takes its own", async ({ bucket, origin }) => {
  const other = await bucket("B");
  await other.put("x", "of b");
  const both = await bucket("G", { sources: [{ name: "A" }, { name: "B" }] });
  await eventually(async () => (await got(both, "x")) === "of b", "x is there");
  await eventually(async () => (await got(both, "b")) === "two", "b is there");
  assert.deepEqual(await sorted(both.keys()), ["a", "b", "x"]);
  const watcher = await watched(both);
  await eventually(() => watcher.seen.length === 3, "what is there is seen");
  await both.put("own", "mine");
  await other.put("x", "changed");
  await eventually(() => watcher.seen.length === 5, "changes are seen");
  assert.deepEqual(watcher.seen.slice(3).sort(), ["own mine", "x changed"]);
  watcher.end();
  await origin.delete("a");
  await eventually(async () => (await both.get("a"))?.operation === "DEL", "the deletion");
  assert.equal(await got(both, "own"), "mine");
  assert.equal(await origin.get("own"), null);
});

copyTest("copies go on after a restart", async ({ nc, bucket, origin, server }) => {
  const mirror = await bucket("M", mirrorOfA);
  const gathered = await bucket("G", { sources: [{ name: "A" }] });
  await eventually(async () => (await got(mirror, "b")) === "two", "b is there");
  await eventually(async () => (await got(gathered, "b")) === "two", "b is there");
  const events = recordStatus(nc);
  assert.equal(await server.stop(), 0);
  await eventually(() => events.count("disconnect") > 0, "the disconnect");
  await server.restart();
  await eventually(() => events.count("reconnect") > 0, "the reconnect");
  await origin.put("c", "three");
  for (const kv of [mirror, gathered])
    await eventually(async () => (await got(kv, "c")) === "three", "c is there");
  assert.deepEqual(await sorted(gathered.keys()), ["a", "b", "c"]);
});

const configs = await mkdtemp(join(tmpdir(), "vagus-client-"));
after(() => rm(configs, { recursive: true }));
const withDomain = join(configs, "domain.conf");
await writeFile(withDomain, "jetstream { domain: hub }\n");

copyTest(
  "a bucket is the same one through the server's domain",
  async ({ lib, nc, origin }) => {
    const there = await lib.bucketIn(nc, "hub", "A");
    assert.equal(await got(there, "a"), "one");
    assert.equal(await there.put("a", "changed"), 3);
    assert.equal(await got(origin, "a"), "changed");
    await there.delete("b");
    assert.deepEqual(await sorted(there.keys()), ["a"]);
    const watcher = await watched(there);
    await origin.put("c", "three");
    await eventually(() => watcher.seen.includes("c three"), "c is seen");
    watcher.end();
  },
  ["-js", "-c", withDomain],
);
