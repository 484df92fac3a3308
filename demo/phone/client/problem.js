// Made by `make docs` from clients/typescript/src/problem.ts
const OVER = ["session_replaced", "session_revoked", "token_invalid", "account_closed", "unauthenticated"];
/**
 * What went wrong, as the server says it (RFC 9457). Switch on `code`: it is stable, `title` and `detail` are for
 * people. Other members (`required`, `ways`, `slip`, …) are there as docs/problems.md says. Two codes are our own:
 * `unreachable` when no answer came (`status` 0), `unreadable` when it was no JSON.
 */
export class Problem extends Error {
    code = "unreadable";
    status;
    title;
    constructor(status, said, wait) {
        super(String(said["title"] ?? said["code"] ?? status));
        Object.assign(this, said);
        this.status = status;
        this.title = this.message;
        if (wait !== undefined)
            this.wait = wait;
    }
    /** The session is over: nothing but a new sign-in helps. (`session_replaced` may still say "this was not me".) */
    get isOver() {
        return OVER.includes(this.code);
    }
    /** What was typed was not accepted, and may be typed again. */
    get mayBeTypedAgain() {
        return this.status === 422 && this.code !== "idempotency_key_reused" && this.code !== "subscriber_mismatch";
    }
}
/** The problem that an answer is. */
export async function problemOf(answer, unreadable) {
    const after = Number(answer.headers.get("Retry-After") ?? Number.NaN);
    const wait = Number.isFinite(after) ? after : undefined;
    try {
        return new Problem(answer.status, (await answer.clone().json()), wait);
    }
    catch {
        return new Problem(answer.status, { code: "unreadable", title: unreadable }, wait);
    }
}
