// An object that is larger than what server and client keep in memory. OBJECT_MIB says how large.
import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { setImmediate as pause } from "node:timers/promises";

import { clientTest } from "./harness.mjs";

const MIB = 1024 * 1024;
const SIZE = Number(process.env.OBJECT_MIB ?? 64) * MIB;
const LIMIT_MS = 60_000 + (SIZE / MIB) * 1000;

/** A stream of SIZE bytes that look random, the same each time; `hash` gets them as well. */
function contents(hash) {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  let left = SIZE;
  return new ReadableStream({
    async pull(controller) {
      await pause(); // as a file would: else the client reads on before it hears acknowledgements
      if (left === 0) return controller.close();
      const piece = new Uint8Array(cipher.update(Buffer.alloc(Math.min(left, 1_000_000))));
      left -= piece.length;
      hash.update(piece);
      controller.enqueue(piece);
    },
  });
}

/** As the clients write it: padded base64 with the letters of URLs. */
function digest(hash) {
  return `SHA-256=${hash.digest("base64").replaceAll("+", "-").replaceAll("/", "_")}`;
}

clientTest(
  `objects: ${SIZE / MIB} MiB come back as they were put, and leave nothing when they are deleted`,
  async ({ lib, connect }) => {
    const os = await lib.objects(await connect(), "O", {});
    const state = async () => (await os.status()).streamInfo.state;
    const sent = createHash("sha256");
    const put = await os.put({ name: "large" }, contents(sent));
    const wanted = digest(sent);
    assert.equal(put.size, SIZE);
    assert.equal(put.digest, wanted);
    assert.equal((await os.info("large")).digest, wanted);
    assert.equal((await state()).messages, put.chunks + 1);
    assert.ok((await state()).bytes > SIZE);

    const got = createHash("sha256");
    const { data, error } = await os.get("large");
    for await (const piece of data) got.update(piece);
    assert.ok(!(await error));
    assert.equal(digest(got), wanted);

    const deleted = await os.delete("large");
    assert.equal(deleted.purged, put.chunks);
    const left = await state();
    assert.equal(left.messages, 1);
    assert.ok(left.bytes < 10_000);
  },
  ["-js"],
  LIMIT_MS,
);
