// The server under test: the program that VAGUS_SERVER names, on a free loopback port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export class Server {
  #child;
  #exited;
  #output = "";
  #dir;
  #flags;
  port = -1;

  /** Resolves when clients can connect. `flags` are added to the command line. */
  static async start(flags = []) {
    const server = new Server();
    server.#flags = flags;
    server.#dir = await mkdtemp(join(tmpdir(), "vagus-client-"));
    try {
      server.port = await server.#spawn("-1");
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  get url() {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** SIGTERM; resolves to the exit code, or to the name of the signal that ended the server. */
  async stop() {
    if (this.#child === undefined) return 0;
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_LIMIT_MS);
    const [code, signal] = await this.#exited;
    clearTimeout(killer);
    this.#child = undefined;
    return code ?? signal;
  }

  /** Starts the server again on the port that it had. */
  async restart() {
    await this.#spawn(String(this.port));
  }

  async remove() {
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #spawn(port) {
    const program = process.env.VAGUS_SERVER;
    if (!program) throw new Error("VAGUS_SERVER does not name a server");
    const address = ["-a", "127.0.0.1", "-p", port, "--ports_file_dir", this.#dir];
    const store = ["-sd", join(this.#dir, "store")];
    const child = spawn(program, [...address, ...store, ...this.#flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    const keep = (data) => (this.#output = (this.#output + data).slice(-20_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    this.#child = child;
    this.#exited = once(child, "exit").finally(() => running.delete(child));
    this.#exited.catch(() => {});
    return await this.#port(join(this.#dir, `${basename(program)}_${child.pid}.ports`));
  }

  async #port(file) {
    const deadline = Date.now() + START_LIMIT_MS;
    while (Date.now() < deadline && this.#child.exitCode === null) {
      try {
        const ports = JSON.parse(await readFile(file, "utf8"));
        if (ports.nats?.length > 0) return Number(new URL(ports.nats[0]).port);
      } catch {
        // Not there yet, or half written.
      }
      await pause(2);
    }
    this.#child.kill("SIGKILL");
    throw new Error(`the server did not start:\n${this.#output}`);
  }
}
