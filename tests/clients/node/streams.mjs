// The words of the tests of streams and consumers.
import assert from "node:assert/strict";

import { clientTest, within } from "./harness.mjs";

/**
 * Declares a test with a stream S of the subjects s.>; `config` changes its configuration. `body`
 * gets the clients' JetStream contexts, `state()` of the stream, and what helps with its consumers:
 * `add(config)` makes a durable c with explicit acknowledgements and resolves to its handle,
 * `info()` is its state, `publish(...)` stores one message for each "subject text".
 */
export function streamTest(name, body, config = {}) {
  clientTest(
    name,
    async ({ lib, server, connect }) => {
      const nc = await connect();
      const jsm = await lib.jetstreamManager(nc);
      const js = lib.jetstream(nc);
      await jsm.streams.add({ name: "S", subjects: ["s.>"], ...config });
      const state = async () => (await jsm.streams.info("S")).state;
      const add = async (settings = {}) => {
        await jsm.consumers.add("S", { durable_name: "c", ack_policy: "explicit", ...settings });
        return settings.deliver_subject ? undefined : await js.consumers.get("S", "c");
      };
      const info = async () => await jsm.consumers.info("S", "c");
      const publish = async (...lines) => {
        for (const line of lines) await js.publish(...line.split(" "));
      };
      await body({ lib, server, connect, nc, jsm, js, state, add, info, publish });
    },
    ["-js"],
  );
}

/** What the iterator yields until it ends. */
export async function collect(iterator) {
  const messages = [];
  for await (const m of await iterator) messages.push(m);
  return messages;
}

/** The first `count` messages of what a consumer delivers; closes it after them. */
export async function first(iterator, count, each = () => {}) {
  const messages = [];
  const all = (async () => {
    for await (const m of iterator) {
      messages.push(m);
      await each(m);
      if (messages.length === count) break;
    }
  })();
  await within(all, () => `${messages.length} of ${count} messages came`);
  assert.equal(messages.length, count);
  return messages;
}

export const text = (m) => new TextDecoder().decode(m.data);
export const dataOf = (messages) => messages.map(text);
export const seqs = (messages) => messages.map((m) => m.seq);

export const ns = (ms) => ms * 1_000_000;

/** Rejects with an error of JetStream that has this number. */
export async function refused(promise, number) {
  await assert.rejects(promise, (error) => {
    const found = error.code ?? error.api_error?.err_code;
    assert.equal(error.api_error?.err_code ?? found, number);
    return true;
  });
}
