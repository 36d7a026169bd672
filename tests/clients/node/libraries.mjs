// The two generations of the JavaScript client, and the few points where a test must tell them
// apart. They are loaded from CLIENT_MODULES, a directory in which `npm ci` has run.
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(join(process.env.CLIENT_MODULES ?? here, "package.json"));

const transport = require("@nats-io/transport-node");
const { Svcm } = require("@nats-io/services");
const { jetstream, jetstreamManager } = require("@nats-io/jetstream");
const { Kvm } = require("@nats-io/kv");
const { Objm } = require("@nats-io/obj");
const nats = require("nats");

export const libraries = [
  {
    name: "transport-node",
    connect: transport.connect,
    headers: transport.headers,
    createInbox: transport.createInbox,
    strategies: { timer: "timer", count: "count", stall: "stall", sentinel: "sentinel" },
    services: (nc) => new Svcm(nc),
    jetstream,
    jetstreamManager,
    getBatch: (jsm, ...how) => jsm.direct.getBatch(...how),
    getLastMessages: (jsm, ...how) => jsm.direct.getLastMessagesFor(...how),
    orderedFilter: (subjects) => ({ filter_subjects: subjects }),
    bucket: (nc, name, options) => new Kvm(nc).create(name, options),
    bucketIn: (nc, domain, name) => new Kvm(jetstream(nc, { domain })).open(name),
    objects: (nc, name, options) => new Objm(nc).create(name, options),
    hasMarkers: true,
    push: async (js, stream, name) =>
      await (await js.consumers.getPushConsumer(stream, name)).consume(),
    endPush: (messages) => messages.close(),
    isNoResponders: (error) => error.isNoResponders?.() ?? error.name === "NoRespondersError",
    isTimeout: (error) => error.name === "TimeoutError",
    isAuthorization: (error) => error.name === "AuthorizationError",
    isTooLarge: (error) => /max_payload/.test(error.message),
  },
  {
    name: "nats",
    connect: nats.connect,
    headers: nats.headers,
    createInbox: nats.createInbox,
    strategies: {
      timer: nats.RequestStrategy.Timer,
      count: nats.RequestStrategy.Count,
      stall: nats.RequestStrategy.JitterTimer,
      sentinel: nats.RequestStrategy.SentinelMsg,
    },
    services: (nc) => nc.services,
    jetstream: (nc) => nc.jetstream(),
    jetstreamManager: (nc) => nc.jetstreamManager(),
    // Of this generation's two one is missing, and its name is the other's.
    getBatch: undefined,
    getLastMessages: (jsm, ...how) => jsm.direct.getBatch(...how),
    orderedFilter: (subjects) => ({ filterSubjects: subjects }),
    bucket: (nc, name, options) => nc.jetstream().views.kv(name, options),
    bucketIn: (nc, domain, name) => nc.jetstream({ domain }).views.kv(name, { bindOnly: true }),
    objects: (nc, name, options) => nc.jetstream().views.os(name, options),
    hasMarkers: false,
    push: async (js, stream, name) => {
      const { config } = await (await js.jetstreamManager()).consumers.info(stream, name);
      const options = nats.consumerOpts().bind(stream, name).manualAck();
      if (config.deliver_group) options.queue(config.deliver_group);
      options.deliverTo(config.deliver_subject);
      return await js.subscribe("", options);
    },
    endPush: (messages) => messages.unsubscribe(),
    isNoResponders: (error) => error.code === nats.ErrorCode.NoResponders,
    isTimeout: (error) => error.code === nats.ErrorCode.Timeout,
    isAuthorization: (error) => error.code === nats.ErrorCode.AuthorizationViolation,
    isTooLarge: (error) => error.code === nats.ErrorCode.MaxPayloadExceeded,
  },
];
