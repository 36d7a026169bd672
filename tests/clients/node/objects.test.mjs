// Object stores, as the clients make them of streams and consumers.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

import { clientTest, eventually, recordStatus } from "./harness.mjs";

/** Declares a test with an object store O; `options` are its configuration. */
function objectTest(name, body, options = {}) {
  clientTest(
    `objects: ${name}`,
    async (t) => {
      const nc = await t.connect();
      const os = await t.lib.objects(nc, "O", options);
      await body({ ...t, nc, os });
    },
    ["-js"],
  );
}

const bytes = (text) => new TextEncoder().encode(text);
const names = (infos) => infos.map((info) => info.name).sort();

async function textOf(os, name) {
  return new TextDecoder().decode(await os.getBlob(name));
}

/** A digest as the clients write it: padded base64 with the letters of URLs. */
function digestOf(data) {
  const hash = createHash("sha256").update(data).digest("base64");
  return `SHA-256=${hash.replaceAll("+", "-").replaceAll("/", "_")}`;
}

/** A stream that yields the data in pieces of this size. */
function pieces(data, size) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= data.length) return controller.close();
      controller.enqueue(data.subarray(at, (at += size)));
    },
  });
}

objectTest("what is put is got", async ({ os }) => {
  const put = await os.putBlob({ name: "a", description: "small" }, bytes("one"));
  assert.equal(put.size, 3);
  assert.equal(put.chunks, 1);
  assert.equal(put.digest, digestOf(bytes("one")));
  const info = await os.info("a");
  assert.equal(info.bucket, "O");
  assert.equal(info.name, "a");
  assert.equal(info.description, "small");
  assert.equal(info.deleted, false);
  assert.equal(await textOf(os, "a"), "one");
  assert.equal(await os.get("none"), null);
  assert.equal(await os.info("none"), null);
});

objectTest("an empty object", async ({ os }) => {
  const put = await os.putBlob({ name: "empty" }, new Uint8Array(0));
  assert.equal(put.size, 0);
  assert.equal(put.chunks, 0);
  assert.equal((await os.getBlob("empty")).length, 0);
});

objectTest("megabytes, in chunks", async ({ os }) => {
  const data = new Uint8Array(randomBytes(5 * 1024 * 1024 + 17));
  const put = await os.put({ name: "large" }, pieces(data, 100_000));
  assert.equal(put.size, data.length);
  assert.equal(put.chunks, 41);
  assert.equal(put.digest, digestOf(data));
  const got = await os.getBlob("large");
  assert.ok(Buffer.from(got).equals(data));
});

objectTest("small chunks, read as a stream", async ({ os }) => {
  const data = new Uint8Array(randomBytes(200_000));
  const how = { name: "chunks", options: { max_chunk_size: 1000 } };
  assert.equal((await os.put(how, pieces(data, 7777))).chunks, 200);
  const { data: stream, error } = await os.get("chunks");
  const parts = [];
  for await (const part of stream) parts.push(part);
  assert.ok(!(await error));
  assert.ok(Buffer.concat(parts).equals(data));
});

objectTest("a new version takes the place of the old one", async ({ os }) => {
  await os.putBlob({ name: "a" }, new Uint8Array(300_000));
  const before = await os.status();
  const put = await os.putBlob({ name: "a" }, bytes("two"));
  assert.equal(await textOf(os, "a"), "two");
  assert.notEqual(put.nuid, undefined);
  assert.ok((await os.status()).size < before.size);
  assert.deepEqual(names(await os.list()), ["a"]);
});

objectTest("names may be anything", async ({ os }) => {
  for (const name of ["with space", "a.b.*.>", "ü/ö", "x".repeat(200)]) {
    await os.putBlob({ name }, bytes(name));
    assert.equal(await textOf(os, name), name);
  }
  assert.equal((await os.list()).length, 4);
});

objectTest("list: all that are there", async ({ os }) => {
  assert.deepEqual(await os.list(), []);
  for (const name of ["a", "b", "c"]) await os.putBlob({ name }, bytes(name));
  await os.delete("b");
  assert.deepEqual(names((await os.list()).filter((info) => !info.deleted)), ["a", "c"]);
});

objectTest("delete: a marker stays, the chunks are gone", async ({ os }) => {
  await os.putBlob({ name: "a" }, new Uint8Array(300_000));
  const deleted = await os.delete("a");
  assert.equal(deleted.success, true);
  assert.equal(deleted.purged, 3);
  assert.equal(await os.get("a"), null);
  const info = await os.info("a");
  assert.equal(info.deleted, true);
  assert.equal(info.size, 0);
  assert.equal(info.chunks, 0);
  assert.equal((await os.status()).streamInfo.state.messages, 1);
  await os.putBlob({ name: "a" }, bytes("again"));
  assert.equal(await textOf(os, "a"), "again");
});

objectTest("update: what is said of an object, and its name", async ({ lib, os }) => {
  const headers = lib.headers();
  headers.set("Color", "red");
  await os.putBlob({ name: "a", headers }, bytes("one"));
  await os.putBlob({ name: "b" }, bytes("two"));
  await os.update("a", { description: "new", metadata: { k: "v" } });
  const info = await os.info("a");
  assert.equal(info.description, "new");
  assert.deepEqual(info.metadata, { k: "v" });
  await os.update("a", { name: "c" });
  assert.equal(await os.info("a"), null);
  assert.equal(await textOf(os, "c"), "one");
  await assert.rejects(os.update("c", { name: "b" }));
  await assert.rejects(os.update("none", { description: "x" }));
});

objectTest("put: only over the version that is expected", async ({ os }) => {
  const first = await os.putBlob({ name: "a" }, bytes("one"), { previousRevision: 0 });
  await assert.rejects(os.putBlob({ name: "a" }, bytes("x"), { previousRevision: 0 }));
  const { revision } = await os.info("a");
  assert.equal(first.revision, revision);
  await os.putBlob({ name: "a" }, bytes("two"), { previousRevision: revision });
  assert.equal(await textOf(os, "a"), "two");
});

objectTest("link: another name for an object, and for a store", async ({ lib, nc, os }) => {
  const info = await os.putBlob({ name: "a" }, bytes("one"));
  const link = await os.link("l", info);
  assert.deepEqual(link.options.link, { bucket: "O", name: "a" });
  assert.equal(await textOf(os, "l"), "one");
  await os.putBlob({ name: "a" }, bytes("two"));
  assert.equal(await textOf(os, "l"), "two");
  await assert.rejects(os.link("m", link));
  const other = await lib.objects(nc, "P", {});
  await other.link("far", await os.info("a"));
  assert.equal(await textOf(other, "far"), "two");
  const store = await other.linkStore("store", os);
  assert.deepEqual(store.options.link, { bucket: "O" });
  await assert.rejects(other.getBlob("store"));
});

objectTest("watch: what is there, then what happens", async ({ os }) => {
  await os.putBlob({ name: "a" }, bytes("one"));
  await os.putBlob({ name: "b" }, bytes("two"));
  await os.delete("b");
  const seen = [];
  const living = [];
  const updates = [];
  const record = (iterator, into) =>
    (async () => {
      for await (const info of iterator) if (info) into.push([info.name, info.deleted]);
    })();
  const iterators = [
    await os.watch({ includeHistory: true }),
    await os.watch({ includeHistory: true, ignoreDeletes: true }),
    await os.watch(),
  ];
  const lists = [seen, living, updates];
  const done = iterators.map((iterator, i) => record(iterator, lists[i]));
  await eventually(() => seen.length >= 2 && living.length >= 1, "the objects");
  await os.putBlob({ name: "c" }, bytes("three"));
  await os.delete("a");
  await os.putBlob({ name: "d" }, bytes("four"));
  const end = (list) => list.some(([name]) => name === "d");
  await eventually(() => lists.every(end), "the changes");
  assert.deepEqual(seen.slice(0, 2), [["a", false], ["b", true]]);
  assert.deepEqual(seen.slice(2), [["c", false], ["a", true], ["d", false]]);
  assert.deepEqual(updates, [["c", false], ["a", true], ["d", false]]);
  assert.deepEqual(living, [["a", false], ["c", false], ["d", false]]);
  iterators.forEach((iterator) => iterator.stop());
  await Promise.all(done);
});

objectTest("seal: nothing changes any more", async ({ os }) => {
  await os.putBlob({ name: "a" }, bytes("one"));
  assert.equal((await os.seal()).sealed, true);
  assert.equal((await os.status()).sealed, true);
  await assert.rejects(os.putBlob({ name: "b" }, bytes("two")));
  await assert.rejects(os.delete("a"));
  assert.equal(await textOf(os, "a"), "one");
});

objectTest(
  "status: what the store is and holds",
  async ({ os }) => {
    await os.putBlob({ name: "a" }, new Uint8Array(1000));
    const status = await os.status();
    assert.equal(status.bucket, "O");
    assert.equal(status.description, "of a test");
    assert.equal(status.storage, "memory");
    assert.equal(status.replicas, 1);
    assert.equal(status.sealed, false);
    assert.ok(status.size > 1000);
    assert.equal(status.backingStore, "JetStream");
    const { config } = status.streamInfo;
    assert.equal(config.name, "OBJ_O");
    assert.deepEqual(config.subjects, ["$O.O.C.>", "$O.O.M.>"]);
    assert.equal(config.discard, "new");
    assert.equal(config.allow_rollup_hdrs, true);
  },
  { description: "of a test", storage: "memory" },
);

objectTest("restart: a large object is there", async ({ nc, os, server }) => {
  const data = new Uint8Array(randomBytes(1_000_000));
  await os.putBlob({ name: "large" }, data);
  const seen = recordStatus(nc);
  assert.equal(await server.stop(), 0);
  await eventually(() => seen.count("disconnect") > 0, "the disconnect");
  await server.restart();
  await eventually(() => seen.count("reconnect") > 0, "the reconnect");
  assert.ok(Buffer.from(await os.getBlob("large")).equals(data));
});

objectTest("destroy: the store is gone", async ({ lib, nc, os }) => {
  await os.putBlob({ name: "a" }, bytes("one"));
  assert.equal(await os.destroy(), true);
  await assert.rejects(os.putBlob({ name: "a" }, bytes("one")));
  const again = await lib.objects(nc, "O", {});
  assert.deepEqual(await again.list(), []);
});
