// A sign-in, a registration, a recovery, …: the answer always names the next step, and the next call is named so.
import type { Client } from "./client.js";
import { Problem } from "./problem.js";
import type { FlowAnswer, Step } from "./types.js";

const STEPS: readonly string[] = ["authorize", "sign", "phone", "otp", "confirm", "password", "done"];
const AT_WORK = ["exchange", "checking", "setting", "telling"]; // another call of the flow is answered just now
const LOOKS = 5;

/** What finds a flow again after the app was away, in the browser for instance. */
export interface Place {
  path: string;
  open: boolean;
  step: Step;
}

/** One flow, and the step that is due. */
export class Flow {
  readonly #client: Client;

  /** `open`: the flow carries a proof and no token, for it ends in a session or in none. */
  constructor(client: Client, readonly path: string, readonly open: boolean, public answer: FlowAnswer) {
    this.#client = client;
  }

  get step(): Step {
    return this.answer.step;
  }

  get place(): Place {
    return { path: this.path, open: this.open, step: this.step };
  }

  /**
   * Answers the step that is due; what comes back says what is due then. Tokens of a session that it brings are kept.
   * Was an earlier answer lost, the server says which step is due, and that is where the flow stands then.
   */
  async send(body: object = {}): Promise<FlowAnswer> {
    for (let looks = LOOKS; ; looks--) {
      try {
        return await this.#arrived(await this.#post(this.step, body));
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.attempts_left !== undefined) this.answer.attempts_left = problem.attempts_left;
        const due = problem.code === "flow_step_mismatch" ? String(problem.step) : this.step;
        if (AT_WORK.includes(due) && looks > 0) await new Promise((done) => setTimeout(done, 1000));
        else if (due !== this.step && due !== "done" && STEPS.includes(due)) return this.#at(due as Step);
        else throw problem;
      }
    }
  }

  /** The code once more, or (`method_id`) to another registered number of a password sign-in. */
  async resend(body: { method_id?: string } = {}): Promise<FlowAnswer> {
    const sent = body.method_id === undefined ? undefined : body;
    const { methods } = this.answer; // said once, at the beginning
    this.answer = { ...(methods && { methods }), ...(await this.#post("otp/resend", sent)) };
    return this.answer;
  }

  #post(what: string, body: object | undefined): Promise<FlowAnswer> {
    return this.#client.call("POST", `${this.path}/${what}`, { ...(body && { body }), open: this.open });
  }

  async #arrived(answer: FlowAnswer): Promise<FlowAnswer> {
    if (answer.session) await this.#client.keep(answer.session);
    this.answer = answer;
    return answer;
  }

  #at(step: Step): FlowAnswer {
    this.answer = { id: this.answer.id, step };
    return this.answer;
  }
}

/**
 * What answers each step: the body of the next call, from the flow as it stands. One that takes the refusal as its
 * second argument is asked again after it, with the server's words; else a refusal ends the walk.
 */
export type Handlers = { [S in Exclude<Step, "done">]?: (flow: Flow, refused?: Problem) => object | Promise<object> };

/** Walks a flow to its end: each step by its name, until `done`. */
export async function walk(flow: Flow, handlers: Handlers): Promise<FlowAnswer> {
  let refused: Problem | undefined;
  while (flow.step !== "done") {
    const handler = handlers[flow.step];
    if (!handler) throw new Error(`nothing answers the step "${flow.step}"`);
    const body = await handler(flow, refused);
    try {
      await flow.send(body);
      refused = undefined;
    } catch (problem) {
      if (!(problem instanceof Problem) || !problem.mayBeTypedAgain || handler.length < 2) throw problem;
      refused = problem;
    }
  }
  return flow.answer;
}
