import assert from "node:assert/strict";

import { clientTest, eventually, take } from "./harness.mjs";

const api = async (nc, subject, body) => {
  const m = await nc.request(`$JS.API.${subject}`, body === undefined ? "" : JSON.stringify(body));
  return m.json();
};

/** What STREAM.SNAPSHOT sends, with every chunk acknowledged; and its answer. */
async function snapshot(nc, stream, options = {}) {
  const deliver_subject = `deliver.${stream}`;
  const chunks = [];
  let status;
  const sub = nc.subscribe(deliver_subject, {
    callback: (_, m) => {
      if (m.data.length === 0) {
        status = m.headers?.code ?? 0;
        return;
      }
      chunks.push(m.data.slice());
      if (m.reply) m.respond();
    },
  });
  await nc.flush();
  const answer = await api(nc, `STREAM.SNAPSHOT.${stream}`, { deliver_subject, ...options });
  assert.equal(answer.error, undefined);
  await eventually(() => status !== undefined, "the end of the snapshot");
  sub.unsubscribe();
  return { answer, chunks, status };
}

/** Sends the chunks to STREAM.RESTORE; the answer to the last message. */
async function restore(nc, config, state, chunks) {
  const answer = await api(nc, `STREAM.RESTORE.${config.name}`, { config, state });
  assert.equal(answer.error, undefined);
  for (const chunk of chunks)
    assert.equal((await nc.request(answer.deliver_subject, chunk)).data.length, 0);
  return (await nc.request(answer.deliver_subject)).json();
}

const payload = (i) => `${i}: ${"x".repeat((i * 37) % 900)}`;

async function fill(nc, name, storage) {
  await api(nc, `STREAM.CREATE.${name}`, { name, subjects: [`${name}.>`], storage });
  for (let i = 1; i <= 300; ++i) await nc.request(`${name}.${i % 10}`, payload(i));
  for (const seq of [1, 7, 150, 300]) await api(nc, `STREAM.MSG.DELETE.${name}`, { seq });
}

/** Files and memory count bytes differently; nats-server forgets when a removed last message was. */
const lasting = (state) => ({ ...state, bytes: 0, last_ts: "" });

async function check(nc, name, state) {
  const info = await api(nc, `STREAM.INFO.${name}`);
  assert.deepEqual(lasting(info.state), lasting(state));
  for (const i of [2, 149, 151, 299]) {
    const { message } = await api(nc, `STREAM.MSG.GET.${name}`, { seq: i });
    assert.equal(atob(message.data), payload(i));
  }
  const last = await nc.request(`${name}.new`, "y");
  assert.equal(last.json().seq, 301);
}

for (const storage of ["file", "memory"]) {
  clientTest(`a stream (${storage}) comes back from its snapshot as it was`, async ({ connect }) => {
    const nc = await connect();
    await fill(nc, "S", storage);
    const { state } = await api(nc, "STREAM.INFO.S");
    const { answer, chunks, status } = await snapshot(nc, "S", { chunk_size: 4096 });
    assert.equal(status, 204);
    assert.ok(chunks.slice(0, -1).every((c) => c.length === 4096));
    assert.equal(answer.config.name, "S");
    assert.equal(answer.state.messages, 296);
    await api(nc, "STREAM.DELETE.S");
    const restored = await restore(nc, answer.config, answer.state, chunks);
    assert.equal(restored.type, "io.nats.jetstream.api.v1.stream_create_response");
    assert.equal(restored.state.messages, 296);
    await check(nc, "S", state);
  }, ["-js"]);
}

clientTest("a restored stream survives a restart", async ({ connect, server }) => {
  const nc = await connect();
  await fill(nc, "S", "file");
  const { state } = await api(nc, "STREAM.INFO.S");
  const { answer, chunks } = await snapshot(nc, "S");
  await api(nc, "STREAM.DELETE.S");
  await restore(nc, answer.config, answer.state, chunks);
  assert.equal(await server.stop(), 0);
  await server.restart();
  const again = await connect();
  await check(again, "S", state);
}, ["-js"]);

clientTest("a snapshot may become a stream of another name and storage", async ({ connect }) => {
  const nc = await connect();
  await fill(nc, "S", "file");
  const { state } = await api(nc, "STREAM.INFO.S");
  const { answer, chunks } = await snapshot(nc, "S");
  const config = { ...answer.config, name: "T", subjects: ["T.>"], storage: "memory" };
  const restored = await restore(nc, config, answer.state, chunks);
  assert.equal(restored.config.storage, "memory");
  await check(nc, "T", state);
}, ["-js"]);

clientTest("a snapshot that is cut is refused, and leaves nothing", async ({ connect }) => {
  const nc = await connect();
  await fill(nc, "S", "file");
  const { answer, chunks } = await snapshot(nc, "S", { chunk_size: 1024 });
  await api(nc, "STREAM.DELETE.S");
  const refused = await restore(nc, answer.config, answer.state, chunks.slice(0, -1));
  assert.equal(refused.error.err_code, 10062);
  const whole = await restore(nc, answer.config, answer.state, chunks);
  assert.equal(whole.error, undefined);
}, ["-js"]);

clientTest("who does not acknowledge is left after a window", async ({ connect }) => {
  const nc = await connect();
  await fill(nc, "S", "file");
  const sub = nc.subscribe("deliver");
  await nc.flush();
  await api(nc, "STREAM.SNAPSHOT.S", { deliver_subject: "deliver", chunk_size: 1024, window_size: 3072 });
  const got = await take(sub, 4);
  assert.deepEqual(got.map((m) => m.data.length), [1024, 1024, 1024, 0]);
  assert.equal(got[3].headers.code, 408);
  assert.equal(got[3].headers.description, "No Flow Response");
}, ["-js"]);

clientTest("advisories tell what became of a stream and who asked", async ({ connect }) => {
  const nc = await connect({ name: "asker" });
  const events = await connect();
  const sub = events.subscribe("$JS.EVENT.ADVISORY.>");
  await events.flush();
  const config = { name: "S", subjects: ["s"] };
  await api(nc, "STREAM.CREATE.S", config);
  await api(nc, "STREAM.UPDATE.S", { ...config, description: "d" });
  await api(nc, "STREAM.DELETE.S");
  const all = (await take(sub, 6)).map((m) => [m.subject, m.json()]);
  const actions = all.filter(([subject]) => subject !== "$JS.EVENT.ADVISORY.API");
  assert.deepEqual(
    actions.map(([subject, e]) => [subject, e.type, e.stream, e.action]),
    [["CREATED", "create"], ["UPDATED", "modify"], ["DELETED", "delete"]].map(([what, action]) => [
      `$JS.EVENT.ADVISORY.STREAM.${what}.S`,
      "io.nats.jetstream.advisory.v1.stream_action", "S", action,
    ]),
  );
  const audits = all.filter(([subject]) => subject === "$JS.EVENT.ADVISORY.API");
  assert.deepEqual(audits.map(([, e]) => [e.type, e.subject, e.client.name, e.client.acc]),
    ["CREATE", "UPDATE", "DELETE"].map((verb) => [
      "io.nats.jetstream.advisory.v1.api_audit", `$JS.API.STREAM.${verb}.S`, "asker", "$G",
    ]));
  assert.equal(JSON.parse(audits[0][1].request).name, "S");
  assert.equal(JSON.parse(audits[0][1].response).did_create, true);
}, ["-js"]);
