import assert from "node:assert/strict";

import { clientTest, eventually, recordStatus, take, texts } from "./harness.mjs";

clientTest("a message reaches every subscription on its subject", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const subs = [alice.subscribe("news"), alice.subscribe("news"), bob.subscribe("news")];
  await alice.flush();
  bob.publish("weather", "rain");
  bob.publish("news", "one");
  for (const sub of subs) assert.deepEqual(texts(await take(sub, 1)), ["one"]);
});

clientTest("wildcards match as many tokens as they stand for", async ({ connect }) => {
  const nc = await connect();
  const star = nc.subscribe("a.*.c");
  const rest = nc.subscribe("a.b.>");
  for (const s of ["a", "a.b", "a.c", "a.x.c", "a.b.c", "a.b.c.d", "b.b.c"]) nc.publish(s, s);
  assert.deepEqual(texts(await take(star, 2)), ["a.x.c", "a.b.c"]);
  assert.deepEqual(texts(await take(rest, 2)), ["a.b.c", "a.b.c.d"]);
});

clientTest("messages of one publisher keep their order", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const sub = alice.subscribe("order.*");
  await alice.flush();
  const sent = Array.from({ length: 20_000 }, (_, i) => String(i));
  sent.forEach((text, i) => bob.publish(`order.${i % 5}`, text));
  assert.deepEqual(texts(await take(sub, sent.length)), sent);
});

clientTest("any byte may be in a payload, and there may be none", async ({ connect }) => {
  const nc = await connect();
  const sub = nc.subscribe("bytes");
  const payloads = [new Uint8Array(0), Uint8Array.from({ length: 256 }, (_, i) => i)];
  payloads.push(new TextEncoder().encode("\r\nPUB x 1\r\ny\r\n"));
  for (const payload of payloads) nc.publish("bytes", payload);
  const got = await take(sub, payloads.length);
  assert.deepEqual(got.map((m) => [...m.data]), payloads.map((p) => [...p]));
});

clientTest("a connection hears itself unless it asked not to", async ({ connect }) => {
  const [loud, quiet] = [await connect(), await connect({ noEcho: true })];
  const own = loud.subscribe("echo");
  const others = quiet.subscribe("echo");
  quiet.publish("echo", "quiet");
  await quiet.flush();
  await loud.flush();
  loud.publish("echo", "loud");
  assert.deepEqual(texts(await take(others, 1)), ["loud"]);
  assert.equal(texts(await take(own, 1)).length, 1);
});

clientTest("verbose and pedantic connections work as any other", async ({ connect }) => {
  for (const options of [{ verbose: true }, { pedantic: true }, { verbose: true, pedantic: true }]) {
    const nc = await connect(options);
    const sub = nc.subscribe("ok");
    for (let i = 0; i < 500; ++i) nc.publish("ok", String(i));
    assert.equal(texts(await take(sub, 500))[499], "499");
    await nc.close();
  }
});

clientTest("an unsubscribe takes effect, at once or after a count", async ({ connect }) => {
  const [alice, bob] = [await connect(), await connect()];
  const gone = alice.subscribe("s");
  const limited = alice.subscribe("s", { max: 3 });
  const stays = alice.subscribe("s");
  gone.unsubscribe();
  await alice.flush();
  for (let i = 0; i < 10; ++i) bob.publish("s", String(i));
  assert.equal((await take(stays, 10)).length, 10);
  assert.deepEqual(texts(await take(limited, 3)), ["0", "1", "2"]);
  assert.equal(gone.getReceived(), 0);
  assert.equal(alice.stats().inMsgs, 13);
});

clientTest("statistics count messages and bytes of both directions", async ({ connect }) => {
  const nc = await connect();
  const sub = nc.subscribe("counted");
  for (let i = 0; i < 100; ++i) nc.publish("counted", "0123456789");
  await take(sub, 100);
  const { inMsgs, outMsgs, inBytes, outBytes } = nc.stats();
  assert.deepEqual([inMsgs, outMsgs, outBytes], [100, 100, 1000]);
  assert.equal(inBytes, 1000);
});

clientTest("flush and round trip time are answered", async ({ connect }) => {
  const nc = await connect();
  await Promise.all(Array.from({ length: 100 }, () => nc.flush()));
  assert.ok((await nc.rtt()) >= 0);
});

clientTest("a client's pings keep the connection", async ({ connect }) => {
  const nc = await connect({ pingInterval: 20, maxPingOut: 3 });
  const seen = recordStatus(nc);
  await eventually(() => seen.filter((s) => /ping/i.test(s.type)).length >= 5, "five pings");
  assert.equal(seen.count("disconnect"), 0);
});

clientTest("the server's greeting has what clients read from it", async ({ connect, server }) => {
  const [nc, other] = [await connect(), await connect()];
  const { info } = nc;
  assert.match(info.version, /^\d+\.\d+\.\d+/);
  assert.equal(info.server_id.length, 56);
  assert.deepEqual([info.proto, info.headers, info.port], [1, true, server.port]);
  assert.deepEqual([info.max_payload, info.client_ip], [1 << 20, "127.0.0.1"]);
  assert.notEqual(info.client_id, other.info.client_id);
  assert.equal(typeof info.server_name, "string");
});
