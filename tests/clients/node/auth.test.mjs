import assert from "node:assert/strict";

import { clientTest, take, texts } from "./harness.mjs";

clientTest("a user needs the right name and password", async ({ connect, lib }) => {
  const nc = await connect({ user: "derek", pass: "s3cr3t" });
  const sub = nc.subscribe("x");
  for (const options of [{ user: "derek", pass: "wrong" }, { user: "derek" }, { token: "x" }, {}]) {
    await assert.rejects(connect(options), lib.isAuthorization);
  }
  nc.publish("x", "still here");
  assert.deepEqual(texts(await take(sub, 1)), ["still here"]);
}, ["--user", "derek", "--pass", "s3cr3t"]);

clientTest("a token must be the right one", async ({ connect, lib }) => {
  await (await connect({ token: "t0k3n" })).flush();
  for (const options of [{ token: "token" }, { user: "u", pass: "t0k3n" }, {}]) {
    await assert.rejects(connect(options), lib.isAuthorization);
  }
}, ["--auth", "t0k3n"]);

clientTest("credentials do no harm where none are asked for", async ({ connect }) => {
  await (await connect({ user: "derek", pass: "s3cr3t" })).flush();
  await (await connect({ token: "t0k3n" })).flush();
});
