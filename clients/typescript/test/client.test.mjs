// Against a real server: what the client promises in its README.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, codeFor, consent, device, inTime, memory, mobile, phone, signIn, solve, subscriber, thumbprint, url, walk, webKey } from "./demo.mjs";

const refused = (code) => (problem) => problem instanceof Problem && problem.code === code;

test("a person signs in, each step by its name, and types the code again after a wrong one", async () => {
  const { client } = phone();
  const flow = await client.begin("/v1/logins", { method: "vneid", device });
  const number = mobile();
  const heard = [];
  const done = await walk(flow, {
    authorize: ({ answer }) => consent(answer.authorization_url, "an"),
    phone: () => ({ phone: number }),
    otp: async ({ answer }, wrong) => {
      heard.push([wrong?.code, answer.attempts_left]);
      return { code: wrong ? await codeFor(number) : "000000" };
    },
  });
  assert.deepEqual(heard, [[undefined, 5], ["otp_wrong", 4]]);
  assert.equal(done.step, "done");
  const me = await client.call("GET", "/v1/me");
  assert.equal(me.id, done.account.id);
});

test("a refusal ends the walk where nobody is there to type again", async () => {
  const { client } = phone();
  const flow = await client.begin("/v1/logins", { method: "vneid", device });
  const number = mobile();
  const handlers = { authorize: ({ answer }) => consent(answer.authorization_url, "binh"), phone: () => ({ phone: number }), otp: () => ({ code: "000000" }) };
  await assert.rejects(walk(flow, handlers), refused("otp_wrong"));
  assert.equal(flow.step, "otp");
  await assert.rejects(walk(flow, {}), /nothing answers the step "otp"/);
  const { step } = await flow.send({ code: await codeFor(number) });
  assert.equal(step, "done");
});

test("calls that come together exchange the tokens once", async () => {
  const { client, calls } = phone();
  await signIn(client, "chi");
  const before = await client.session();
  await client.keep({ ...before, expires_in: 0 });
  const found = await Promise.all(Array.from({ length: 6 }, () => client.call("GET", "/v1/me")));
  assert.equal(new Set(found.map((one) => one.id)).size, 1);
  assert.equal(calls.filter((one) => one === "POST /v1/token 200").length, 1);
  assert.notEqual((await client.session()).refresh_token, before.refresh_token);
});

test("an exchange whose answer is lost is asked for again, and brings the same pair", async () => {
  const { client, calls, lose, unheard } = phone();
  await signIn(client, "dung");
  const expire = async () => client.keep({ ...(await client.session()), expires_in: 0 });
  await expire();
  await client.call("GET", "/v1/me"); // now the server's nonce is known
  await expire();
  lose("/v1/token", "/v1/token");
  const nothing = client.call("POST", `/v1/notices/${crypto.randomUUID()}/read`); // is not repeated itself
  await assert.rejects(nothing, refused("notice_not_found"));
  assert.deepEqual(calls.slice(-4), ["POST /v1/token 0", "POST /v1/token 0", "POST /v1/token 200", "POST /v1/notices/…/read 404"]);
  const kept = (await client.session()).refresh_token;
  assert.deepEqual(unheard.map((one) => one.session.refresh_token), [kept, kept]);
});

test("what the server calls expired is exchanged, with the nonce that it wants, and called again", async () => {
  const { client, calls } = phone();
  await signIn(client, "giang");
  const held = await client.session();
  await client.keep({ ...held, expires_in: 3600 });
  await new Promise((done) => setTimeout(done, (held.expires_in + 0.5) * 1000));
  await client.call("GET", "/v1/me");
  const since = calls.slice(calls.indexOf("GET /v1/me 401"));
  assert.deepEqual(since, ["GET /v1/me 401", "POST /v1/token 401", "POST /v1/token 200", "GET /v1/me 200"]);
});

test("somebody else's exchange is taken over: an access token that was exchanged is no end", async () => {
  const store = memory();
  const [first, second] = [phone({ store }), phone({ store })];
  await signIn(first.client, "hoa");
  const old = await store.get("session");
  await store.put("session", { ...old, until: 0 });
  await second.client.call("GET", "/v1/me");
  await store.put("session", old); // an answer that did not arrive: the tokens of before are still here
  await first.client.call("GET", "/v1/me");
  assert.deepEqual(first.calls.slice(-4), ["GET /v1/me 401", "POST /v1/token 401", "POST /v1/token 200", "GET /v1/me 200"]);
  assert.equal((await store.get("session")).session_id, old.session_id);
});

test("a key stays the device's, and a wrong clock is put right by the server's", async (t) => {
  const store = memory();
  const before = await thumbprint(await webKey(store));
  assert.equal(await thumbprint(await webKey(store)), before);
  const { client, calls } = phone({ store });
  const right = Date.now;
  t.after(() => { Date.now = right; });
  Date.now = () => right() - 3 * 3600 * 1000;
  const flow = await client.begin("/v1/logins", { method: "vneid", device });
  assert.equal(flow.step, "authorize");
  assert.deepEqual(calls, ["POST /v1/logins 401", "POST /v1/logins 201"]);
});

test("what takes a key is repeated with it when its answer is lost, and happens once", async () => {
  const { client, calls, lose } = phone();
  await signIn(client, "khanh");
  lose("/v1/support-cases");
  const made = await client.call("POST", "/v1/support-cases", { body: { subject: "Hỏi", text: "Tôi không thấy vai trò" } });
  assert.deepEqual(calls.slice(-2), ["POST /v1/support-cases 0", "POST /v1/support-cases 201"]);
  const { items } = await client.call("GET", "/v1/support-cases");
  assert.deepEqual(items.map((one) => one.code), [made.code]);
});

test("what takes no key is not repeated", async () => {
  const { client, calls, lose } = phone();
  lose("/v1/logins");
  await assert.rejects(client.begin("/v1/logins", { method: "vneid", device }), refused("unreachable"));
  assert.deepEqual(calls, ["POST /v1/logins 0"]);
});

test("a session that ended while its answer was lost is ended", async () => {
  const { client, lose } = phone();
  await signIn(client, "lan");
  lose("/v1/sessions/current");
  await client.signOut();
  assert.equal(await client.session(), undefined);
});

test("a flow whose answer is lost goes on where the server stands", async () => {
  const { client, lose } = phone();
  const number = mobile();
  const begun = await client.begin("/v1/logins", { method: "vneid", device });
  const flow = client.resume(JSON.parse(JSON.stringify(begun.place)));
  await flow.send(await consent(begun.answer.authorization_url, "minh"));
  assert.equal(flow.step, "phone");
  lose("/phone");
  await assert.rejects(flow.send({ phone: number }), refused("unreachable"));
  assert.equal((await flow.send({ phone: number })).step, "otp");
  const wait = await flow.resend().then(() => 0, (problem) => problem.wait);
  assert.ok(wait > 0, "the pause between two sendings is told in seconds, and not waited for");
  assert.equal((await flow.send({ code: await codeFor(number) })).step, "done");
});

test("a citizen registers, signs in by password and gets a forgotten one back", async () => {
  const person = await subscriber();
  const { client } = phone();
  const captcha = async () => solve(await client.call("GET", "/v1/captcha", { open: true }));
  const otp = async () => ({ code: await codeFor(person.phone) });
  const [old, fresh] = ["Cố-Đô-Huế-1945", "Sông-Hương-1802"];
  const begun = await client.begin("/v1/registrations", { method: "subscriber", device, ...person, captcha: await captcha() });
  const made = await walk(begun, { otp, password: () => ({ password: old }) });
  assert.equal((await client.call("GET", "/v1/me")).id, made.account.id);
  const recovered = await inTime(() => client.begin("/v1/recoveries", { national_id: person.national_id }));
  const typed = [];
  const done = await walk(recovered, { otp, password: (_, wrong) => { typed.push(wrong?.errors.length); return { password: wrong ? fresh : "yếu" }; } });
  assert.deepEqual([done.step, done.session, typed.length], ["done", undefined, 2]);
  await assert.rejects(client.call("GET", "/v1/me"), (problem) => problem.isOver && problem.reason === "recovered");
  const login = { method: "password", national_id: person.national_id, password: fresh, device };
  await walk(await inTime(async () => client.begin("/v1/logins", { ...login, captcha: await captcha() })), { otp });
  assert.equal((await client.call("GET", "/v1/me")).id, made.account.id);
});

test("another phone takes the place, and the first is told so", async () => {
  const [older, newer] = [phone(), phone()];
  const number = mobile();
  await signIn(older.client, "nam", number);
  const { replaced_device: replaced } = await signIn(newer.client, "nam", number);
  assert.equal(replaced.name, device.name);
  await assert.rejects(older.client.call("GET", "/v1/me"), (problem) => problem.code === "session_replaced" && problem.isOver);
});

test("no server is a problem like any other", async () => {
  const { client } = phone({ url: "http://127.0.0.1:9", patience: 0, language: "vi" });
  await assert.rejects(client.call("GET", "/v1/captcha", { open: true }), { code: "unreachable", status: 0, title: "Không kết nối được với máy chủ" });
  assert.ok(url.startsWith("http"));
});
