// One device and the server: proofs, the server's nonce, tokens that renew themselves, calls that are repeated only
// where nothing can happen twice, and problems as errors.
import { solve as solved, type Challenge } from "./captcha.js";
import { Flow, type Place } from "./flow.js";
import { Problem, problemOf } from "./problem.js";
import { proof, webKey, type DeviceKey } from "./proof.js";
import { memory, type Store } from "./store.js";
import type { FlowAnswer, Granted, Session } from "./types.js";

export interface Options {
  /** The public address of the installation, as its proofs have to name it; no slash at the end. */
  url: string;
  store?: Store;
  /** The device's key where WebCrypto is not; else one is made and kept in the store. */
  key?: DeviceKey;
  language?: "vi" | "en";
  /** How many seconds a call waits by itself before it gives up, refused calls and lost answers together. */
  patience?: number;
  /** After how many seconds of silence an answer counts as lost; the slowest call waits for a registry or an e-ID. */
  silence?: number;
  /** Tells devices apart that share one browser: whoever refreshes holds a lock of this name. */
  name?: string;
  fetch?: typeof fetch;
  solve?: (challenge: Challenge) => Promise<string>;
  /** Hears of every answer: a status of 0 is none. */
  onAnswer?: (method: string, path: string, status: number) => void;
}

export interface Call {
  body?: object;
  /** The `Idempotency-Key`; where the API takes one and none is given, each call gets its own. */
  key?: string;
  /** A proof and no token: for what makes a session, and for what anybody may ask. */
  open?: boolean;
  /** Whether the call may be repeated when its answer was lost; else that goes by its method and its key. */
  repeat?: boolean;
}

type Language = "vi" | "en";
const KEYED = ["/v1/role-requests", "/v1/support-cases"];
const EARLY = 5000; // a token that ends so soon is exchanged before the call (or in the last quarter of a short life)
const SKEW = 5000; // how far the clocks may differ before ours is corrected
const WORDS = {
  unreachable: { vi: "Không kết nối được với máy chủ", en: "The server cannot be reached" },
  unreadable: { vi: "Máy chủ trả lời không đúng", en: "The server's answer is not understood" },
};
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export class Client {
  readonly #options: Options;
  readonly #store: Store;
  #key: Promise<DeviceKey> | undefined;
  #refreshing: Promise<Granted | undefined> | undefined;
  #nonce: string | undefined;
  #skew = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#store = options.store ?? memory();
  }

  /** The session that is kept; nothing when nobody is signed in. */
  async session(): Promise<Granted | undefined> {
    return (await this.#store.get("session")) as Granted | undefined;
  }

  /** Keeps the tokens of a session; a flow does so by itself. */
  async keep(session: Session): Promise<Granted> {
    const granted = { ...session, until: Date.now() + session.expires_in * 1000 };
    await this.#store.put("session", granted);
    return granted;
  }

  /** Forgets the tokens; the key stays, by which the server knows the device again. */
  async forget(): Promise<void> {
    await this.#store.drop("session");
  }

  /** Ends the session here and there. */
  async signOut(): Promise<void> {
    await this.call("DELETE", "/v1/sessions/current").catch((problem: unknown) => {
      if (!(problem instanceof Problem) || !problem.isOver) throw problem; // it had ended already
    });
    await this.forget();
  }

  /** Begins a flow, at `/v1/logins` for instance. */
  async begin(path: string, body: Record<string, unknown>): Promise<Flow> {
    const signedIn = path.startsWith("/v1/me/") || body["step_up"] === true || (path === "/v1/phone-changes" && !body["login"]);
    const answer = await this.call<FlowAnswer>("POST", path, { body, open: !signedIn });
    return new Flow(this, `${path}/${answer.id}`, !signedIn, answer);
  }

  /** Finds a flow again that was left at `place`. */
  resume({ path, open, step }: Place): Flow {
    return new Flow(this, path, open, { id: path.slice(path.lastIndexOf("/") + 1), step });
  }

  /** One call; its answer, or null where it has none. Throws a Problem. */
  async call<T = unknown>(method: string, path: string, call: Call = {}): Promise<T> {
    const key = call.key ?? (method === "POST" && KEYED.includes(path) ? crypto.randomUUID() : undefined);
    const repeat = call.repeat ?? (["GET", "PUT", "DELETE"].includes(method) || key !== undefined);
    return this.#patiently(repeat, (lost) => this.#attempt<T>(method, path, { ...call, ...(key && { key }) }, lost));
  }

  /** Repeats what may be repeated while it may pass: no answer, or one that says when to come again. */
  async #patiently<T>(repeat: boolean, act: (lost: boolean) => Promise<T>): Promise<T> {
    const until = Date.now() + (this.#options.patience ?? 5) * 1000;
    for (let lost = false, tries = 1; ; tries++) {
      try {
        return await act(lost);
      } catch (problem) {
        if (!repeat || !(problem instanceof Problem) || ![0, 429, 503].includes(problem.status)) throw problem;
        const wait = (problem.wait !== undefined && problem.wait > 0 ? problem.wait : Math.min(tries, 3)) * 1000;
        if (Date.now() + wait > until) throw problem;
        lost ||= problem.status === 0;
        await pause(wait);
      }
    }
  }

  async #attempt<T>(method: string, path: string, call: Call, lost: boolean): Promise<T> {
    let held = call.open ? undefined : await this.session();
    if (held && held.until - Date.now() <= Math.min(EARLY, held.expires_in * 250)) held = await this.#refreshed(held);
    let answer = await this.#send(method, path, call, held);
    if (answer.status === 401 && held && ["token_expired", "token_invalid"].includes((await this.#problem(answer)).code)) {
      held = await this.#refreshed(held); // expired, or exchanged by somebody whose answer was lost
      answer = await this.#send(method, path, call, held);
    }
    if (answer.status === 429) answer = await this.#worked(answer, method, path, call, held);
    if (answer.status === 404 && lost && method === "DELETE") return null as T; // the first time it was there
    if (!answer.ok) throw await this.#problem(answer);
    return answer.status === 204 ? (null as T) : ((await this.#said(answer)) as T);
  }

  /** Strangers ask a lot: this device works a little, and asks again. */
  async #worked(answer: Response, method: string, path: string, call: Call, held: Granted | undefined): Promise<Response> {
    const { code, challenge } = await this.#problem(answer);
    if (code !== "captcha_required") return answer;
    const captcha = await (this.#options.solve ?? solved)(challenge as Challenge);
    return this.#send(method, path, { ...call, body: { ...call.body, captcha } }, held);
  }

  /** Newer tokens than these. One exchange at a time: whoever comes meanwhile takes what it brings. */
  #refreshed(old: Granted): Promise<Granted | undefined> {
    this.#refreshing ??= this.#alone("refresh", () => this.#exchange(old)).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Among all tabs of a browser; elsewhere a device has one client. */
  #alone<T>(what: "refresh" | "key", act: () => Promise<T>): Promise<T> {
    const locks = (globalThis as { navigator?: Partial<Navigator> }).navigator?.locks;
    const named = `ngomon-${what}-${this.#options.name ?? "device"}`;
    return locks ? (locks.request(named, act) as Promise<T>) : act();
  }

  /** The same token by the same key within 30 seconds is answered with the same pair: so a lost answer is asked for again. */
  async #exchange(old: Granted): Promise<Granted | undefined> {
    const held = await this.session();
    if (!held || held.access_token !== old.access_token) return held;
    return this.#patiently(true, async () => {
      const answer = await this.#send("POST", "/v1/token", { body: { refresh_token: held.refresh_token } }, undefined);
      if (!answer.ok) throw await this.#problem(answer);
      const { session } = (await this.#said(answer)) as { session?: Session };
      if (!session?.refresh_token) throw this.#unreadable(answer); // not the server's word: what is kept stays
      return this.keep(session); // before anything else is called
    });
  }

  /** Signs and sends; once more for the server's nonce, and once more when this device's clock was wrong. */
  async #send(method: string, path: string, call: Call, held: Granted | undefined): Promise<Response> {
    const url = new URL(this.#options.url + path);
    for (const tried: string[] = []; ; ) {
      const answer = await this.#fetch(method, path, url, await this.#headers(method, url, call, held), call.body);
      this.#nonce = answer.headers.get("DPoP-Nonce") ?? this.#nonce;
      const code = answer.status === 401 ? (await this.#problem(answer)).code : "";
      const again = code === "use_dpop_nonce" || (code === "invalid_dpop_proof" && this.#corrected(answer));
      if (!again || tried.includes(code)) return answer;
      tried.push(code);
    }
  }

  async #headers(method: string, url: URL, { body, key }: Call, held: Granted | undefined): Promise<Record<string, string>> {
    const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": this.#language };
    const scheme = held?.token_type ?? "DPoP";
    if (scheme === "DPoP") {
      this.#key ??= this.#kept();
      const about = { method, url: url.origin + url.pathname, token: held?.access_token, nonce: this.#nonce };
      headers["DPoP"] = await proof(await this.#key, { ...about, now: Date.now() + this.#skew });
    }
    if (held) headers["Authorization"] = `${scheme} ${held.access_token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    return headers;
  }

  /** The device's key. Two tabs that begin at once make one; a store that fails is asked again by the next call. */
  async #kept(): Promise<DeviceKey> {
    try {
      return this.#options.key ?? (await this.#alone("key", () => webKey(this.#store)));
    } catch (trouble) {
      this.#key = undefined;
      throw trouble;
    }
  }

  /** The whole answer: one that breaks off, or does not come for long, has not come. None is fetched from elsewhere. */
  async #fetch(method: string, path: string, url: URL, headers: Record<string, string>, body: object | undefined): Promise<Response> {
    const ask = this.#options.fetch ?? fetch;
    const silent = new AbortController();
    const patience = setTimeout(() => silent.abort(), (this.#options.silence ?? 60) * 1000);
    const sent = { method, headers, redirect: "error", signal: silent.signal, ...(body && { body: JSON.stringify(body) }) } as const;
    const come = async (): Promise<Response> => {
      const answer = await ask(url, sent);
      const whole = answer.status === 204 ? null : await answer.arrayBuffer();
      return new Response(whole, { status: answer.status, headers: answer.headers });
    };
    const answer = await come().catch(() => undefined).finally(() => clearTimeout(patience));
    this.#options.onAnswer?.(method, path, answer?.status ?? 0);
    if (!answer) throw new Problem(0, { code: "unreachable", title: WORDS.unreachable[this.#language] });
    return answer;
  }

  /** Takes over the server's time where the two differ. */
  #corrected(answer: Response): boolean {
    const skew = Date.parse(answer.headers.get("Date") ?? "") - Date.now();
    if (Number.isNaN(skew) || Math.abs(skew - this.#skew) < SKEW) return false;
    this.#skew = skew;
    return true;
  }

  async #said(answer: Response): Promise<unknown> {
    const said: unknown = await answer.json().catch(() => undefined);
    if (said === undefined) throw this.#unreadable(answer); // a portal's page, for instance
    return said;
  }

  #unreadable(answer: Response): Problem {
    return new Problem(answer.status, { code: "unreadable", title: WORDS.unreadable[this.#language] });
  }

  #problem(answer: Response): Promise<Problem> {
    return problemOf(answer, WORDS.unreadable[this.#language]);
  }

  get #language(): Language {
    return this.#options.language ?? "vi";
  }
}
