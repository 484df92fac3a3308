// What is no answer of the server's: a portal's page, a redirect, a line that is silent, a store that fails once.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

const { Client, Problem, memory, thumbprint, webKey } = await import(process.env.CLIENT ?? "../dist/index.js");
const refused = (code, status) => (problem) => problem instanceof Problem && problem.code === code && problem.status === status;
const json = (status, said, headers = {}) => new Response(JSON.stringify(said), { status, headers });
const url = "http://127.0.0.1:9";
const session = { access_token: "a", refresh_token: "r", token_type: "DPoP", expires_in: 0, session_id: "s" };

test("a page that is no JSON is a problem, also with a status of 200, and costs no token", async () => {
  const page = async () => new Response("<html>Xin chào</html>", { status: 200 });
  const client = new Client({ url, store: memory(), fetch: page });
  await assert.rejects(client.call("GET", "/v1/me", { open: true }), refused("unreadable", 200));
  await client.keep(session);
  await assert.rejects(client.call("GET", "/v1/me"), refused("unreadable", 200));
  const other = new Client({ url, store: memory(), fetch: async () => json(200, {}) });
  await other.keep(session);
  await assert.rejects(other.call("GET", "/v1/me"), refused("unreadable", 200));
  for (const one of [client, other]) assert.equal((await one.session()).refresh_token, "r");
});

test("to whom the server's address leads on, nothing is sent", async (t) => {
  const heard = [];
  const elsewhere = createServer((asked, answer) => {
    heard.push(asked.url);
    answer.end("{}");
  }).listen(0);
  const here = createServer((_, answer) => {
    answer.writeHead(307, { Location: `http://localhost:${elsewhere.address().port}/stolen` }).end();
  }).listen(0);
  t.after(() => [here, elsewhere].forEach((one) => one.close()));
  const client = new Client({ url: `http://127.0.0.1:${here.address().port}`, store: memory() });
  const said = client.call("POST", "/v1/logins", { open: true, body: { password: "a secret" } });
  await assert.rejects(said, refused("unreachable", 0));
  assert.deepEqual(heard, []);
});

test("an answer that never comes is a lost one", { timeout: 5000 }, async (t) => {
  const silent = createServer(() => {}).listen(0);
  t.after(() => { silent.closeAllConnections(); silent.close(); });
  const client = new Client({ url: `http://127.0.0.1:${silent.address().port}`, store: memory(), silence: 0.2, patience: 0.3 });
  await assert.rejects(client.call("POST", "/v1/logins", { open: true, body: {} }), refused("unreachable", 0));
});

test("a server that says to come back at once is not asked a hundred times", async () => {
  for (const after of ["0", "-3", ""]) {
    let asked = 0;
    const busy = async () => { asked++; return json(503, { code: "too_busy" }, { "Retry-After": after }); };
    const client = new Client({ url, store: memory(), fetch: busy, patience: 1.5 });
    await assert.rejects(client.call("GET", "/v1/me", { open: true }), refused("too_busy", 503));
    assert.ok(asked <= 2, `${asked} times`);
  }
});

test("a store that fails once is asked again", async () => {
  const kept = memory();
  let fails = 1;
  const store = { ...kept, get: async (name) => { if (name === "key" && fails-- > 0) throw new Error("busy"); return kept.get(name); } };
  const client = new Client({ url, store, fetch: async () => json(200, { well: true }) });
  await assert.rejects(client.call("GET", "/v1/me", { open: true }), /busy/);
  assert.deepEqual(await client.call("GET", "/v1/me", { open: true }), { well: true });
});

test("two tabs that begin at once have one key, by which the sessions of both are known", async () => {
  const kept = memory();
  let line = Promise.resolve();
  const locks = { request: (_, act) => (line = line.then(act)) };
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  const slow = { ...kept, get: async (name) => { const found = await kept.get(name); await new Promise((soon) => setTimeout(soon, 20)); return found; } };
  const proofs = [];
  const heard = async (_, { headers }) => { proofs.push(JSON.parse(atob(headers.DPoP.split(".")[0].replaceAll("-", "+").replaceAll("_", "/"))).jwk.x); return json(200, {}); };
  const tabs = [1, 2].map(() => new Client({ url, store: slow, fetch: heard }));
  await Promise.all(tabs.map((tab) => tab.call("GET", "/v1/me", { open: true })));
  assert.equal(new Set(proofs).size, 1);
  assert.ok(await thumbprint(await webKey(kept)));
});
