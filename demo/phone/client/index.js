// Made by `make docs` from clients/typescript/src/index.ts
export { solve } from "./captcha.js";
export { Client } from "./client.js";
export { Flow, walk } from "./flow.js";
export { Problem } from "./problem.js";
export { thumbprint, webKey } from "./proof.js";
export { memory } from "./store.js";
