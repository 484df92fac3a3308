// Made by `make docs` from clients/typescript/src/flow.ts
import { Problem } from "./problem.js";
const STEPS = ["authorize", "sign", "phone", "otp", "confirm", "password", "done"];
const AT_WORK = ["exchange", "checking", "setting", "telling"]; // another call of the flow is answered just now
const LOOKS = 5;
/** One flow, and the step that is due. */
export class Flow {
    path;
    open;
    answer;
    #client;
    /** `open`: the flow carries a proof and no token, for it ends in a session or in none. */
    constructor(client, path, open, answer) {
        this.path = path;
        this.open = open;
        this.answer = answer;
        this.#client = client;
    }
    get step() {
        return this.answer.step;
    }
    get place() {
        return { path: this.path, open: this.open, step: this.step };
    }
    /**
     * Answers the step that is due; what comes back says what is due then. Tokens of a session that it brings are kept.
     * Was an earlier answer lost, the server says which step is due, and that is where the flow stands then.
     */
    async send(body = {}) {
        for (let looks = LOOKS;; looks--) {
            try {
                return await this.#arrived(await this.#post(this.step, body));
            }
            catch (problem) {
                if (!(problem instanceof Problem))
                    throw problem;
                if (problem.attempts_left !== undefined)
                    this.answer.attempts_left = problem.attempts_left;
                const due = problem.code === "flow_step_mismatch" ? String(problem.step) : this.step;
                if (AT_WORK.includes(due) && looks > 0)
                    await new Promise((done) => setTimeout(done, 1000));
                else if (due !== this.step && due !== "done" && STEPS.includes(due))
                    return this.#at(due);
                else
                    throw problem;
            }
        }
    }
    /** The code once more, or (`method_id`) to another registered number of a password sign-in. */
    async resend(body = {}) {
        const sent = body.method_id === undefined ? undefined : body;
        const { methods } = this.answer; // said once, at the beginning
        this.answer = { ...(methods && { methods }), ...(await this.#post("otp/resend", sent)) };
        return this.answer;
    }
    #post(what, body) {
        return this.#client.call("POST", `${this.path}/${what}`, { ...(body && { body }), open: this.open });
    }
    async #arrived(answer) {
        if (answer.session)
            await this.#client.keep(answer.session);
        this.answer = answer;
        return answer;
    }
    #at(step) {
        this.answer = { id: this.answer.id, step };
        return this.answer;
    }
}
/** Walks a flow to its end: each step by its name, until `done`. */
export async function walk(flow, handlers) {
    let refused;
    while (flow.step !== "done") {
        const handler = handlers[flow.step];
        if (!handler)
            throw new Error(`nothing answers the step "${flow.step}"`);
        const body = await handler(flow, refused);
        try {
            await flow.send(body);
            refused = undefined;
        }
        catch (problem) {
            if (!(problem instanceof Problem) || !problem.mayBeTypedAgain || handler.length < 2)
                throw problem;
            refused = problem;
        }
    }
    return flow.answer;
}
