// Made by `make docs` from clients/typescript/src/types.ts
// What crosses the wire in flows and sessions. Everything else is in the OpenAPI document, for a generator to read.
export {};
