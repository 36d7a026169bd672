// One test is run with each client library, each time against a server of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { libraries } from "./libraries.mjs";
import { Server } from "./server.mjs";

export const PATIENCE_MS = 20_000;
const TEST_LIMIT_MS = 60_000;

/**
 * Declares a test. `body` gets `lib`, `server`, and `connect(options)`; connections are closed and
 * the server is stopped, with exit code 0, after it.
 */
export function clientTest(name, body, flags = [], timeout = TEST_LIMIT_MS) {
  for (const lib of libraries) {
    test(`${lib.name}: ${name}`, { timeout }, async () => {
      const server = await Server.start(flags);
      const connections = [];
      const connect = async (options = {}) => {
        const settings = { servers: server.url, reconnectTimeWait: 20, maxReconnectAttempts: -1 };
        const nc = await lib.connect({ ...settings, timeout: PATIENCE_MS, ...options });
        connections.push(nc);
        return nc;
      };
      try {
        await body({ lib, server, connect });
      } finally {
        await Promise.all(connections.map((nc) => nc.close()));
        assert.equal(await server.stop(), 0, "the server's exit code");
        await server.remove();
      }
    });
  }
}

/** The next `count` messages of a subscription; rejects if they do not come. */
export async function take(sub, count) {
  const messages = [];
  const all = (async () => {
    for await (const m of sub) {
      messages.push(m);
      if (messages.length === count) return messages;
    }
    throw new Error(`the subscription ended after ${messages.length} of ${count} messages`);
  })();
  return await within(all, () => `${messages.length} of ${count} messages came`);
}

export const texts = (messages) => messages.map((m) => m.string());

/** The promise's result; rejects with the text if it is not settled within the tests' patience. */
export async function within(promise, text) {
  const quiet = new AbortController();
  const late = pause(PATIENCE_MS, undefined, { signal: quiet.signal }).then(() => {
    throw new Error(text());
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    quiet.abort();
  }
}

/** Polls until the condition holds. */
export async function eventually(condition, text = "the condition") {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${text} did not come true`);
    await pause(2);
  }
}

/** Everything that `nc.status()` reports, in an array that grows. */
export function recordStatus(nc) {
  const seen = [];
  (async () => {
    for await (const status of nc.status()) seen.push(status);
  })();
  seen.count = (type) => seen.filter((status) => status.type === type).length;
  return seen;
}

/** Answers every message of `subject` with what `answer` makes of it. */
export async function respond(nc, subject, answer, options = {}) {
  const sub = nc.subscribe(subject, { ...options, callback: (_, m) => m.respond(answer(m)) });
  await nc.flush();
  return sub;
}
