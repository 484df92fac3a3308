// A client of the demo, and what the demo can do for it: `make run`, or a server that the caller has started.
// NGOMON_URL says where it is, CLIENT which folder the compiler wrote to.
import assert from "node:assert/strict";

export const url = process.env.NGOMON_URL ?? "http://127.0.0.1:8000";
export const { Client, Problem, memory, solve, thumbprint, walk, webKey } = await import(process.env.CLIENT ?? "../dist/index.js");

const device = { platform: "android", name: "Điện thoại thử", model: "Node" };
export { device };

/** A client that counts what it asks for, and whose answers can be lost on the way: `lose(part of a path)`. */
export function phone(options = {}) {
  const calls = [];
  const [lost, unheard] = [[], []];
  const client = new Client({
    url,
    language: "en",
    onAnswer: (method, path, status) => calls.push(`${method} ${path.replace(/[0-9a-f-]{36}/g, "…")} ${status}`),
    fetch: async (address, sent) => {
      const answer = await fetch(address, sent);
      const at = lost.findIndex((part) => String(address).includes(part));
      if (at < 0) return answer;
      lost.splice(at, 1);
      unheard.push(await answer.json().catch(() => null)); // the server has done it; only we do not hear of it
      throw new TypeError("the line went dead");
    },
    ...options,
  });
  return { client, calls, unheard, lose: (...parts) => lost.push(...parts) };
}

let numbers = Number(process.pid) * 100 + 10;
export const mobile = () => `0550${String(numbers++ % 1_000_000).padStart(6, "0")}`;

const heard = new Map();

/** The code in the newest message to a number that was not read before; some leave after the answer. */
export async function codeFor(number) {
  const to = number.replaceAll(" ", "").replace(/^0/, "84");
  for (let waits = 0; waits < 250; waits += 1) {
    const { sms } = await (await fetch(`${url}/demo/inbox.json?to=${to}`)).json();
    const codes = sms.map((one) => /\b\d{6}\b/.exec(one.text)?.[0]).filter(Boolean);
    if (codes.length > (heard.get(to) ?? 0) || (codes.length > 0 && waits > 100)) {
      heard.set(to, codes.length);
      return codes[0];
    }
    await new Promise((soon) => setTimeout(soon, 20));
  }
  throw new Error(`no code came to ${number}`);
}

/** What the e-ID sends back to the app when one of its people says yes. */
export async function consent(address, person) {
  const answer = await fetch(`${address}&prompt=none&login_hint=${person}`, { redirect: "manual" });
  assert.equal(answer.status, 303);
  const back = new URL(answer.headers.get("Location")).searchParams;
  return Object.fromEntries(["state", "code", "iss"].filter((name) => back.has(name)).map((name) => [name, back.get(name)]));
}

/** Signs somebody in by VNeID, the first time with a number. */
export async function signIn(client, person, number = mobile()) {
  const flow = await client.begin("/v1/logins", { method: "vneid", device });
  return walk(flow, {
    authorize: ({ answer }) => consent(answer.authorization_url, person),
    phone: () => ({ phone: number }),
    otp: async () => ({ code: await codeFor(number) }),
  });
}

/** Somebody invented whom the carriers know. */
export async function subscriber() {
  const number = mobile();
  const person = { phone: number, national_id: `000090${number.slice(-6)}`, full_name: "Lê Thị Khách", birth_date: "1990-02-03" };
  const answer = await fetch(`${url}/demo/registries/subscribers`, { method: "POST", body: JSON.stringify({ ...person, active: true }) });
  assert.equal(answer.status, 201, await answer.text());
  return person;
}

/** Does it again when the server has said after how many seconds to come again. */
export async function inTime(act) {
  try {
    return await act();
  } catch (problem) {
    if (problem.status !== 429) throw problem;
    await new Promise((done) => setTimeout(done, problem.wait * 1000 + 100));
    return act();
  }
}
