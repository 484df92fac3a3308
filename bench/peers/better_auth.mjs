// A peer in a folder of its own: better-auth with its phone-number plugin on better-sqlite3 (WAL), rate limit off.
// `node better_auth.mjs FOLDER PORT CODES` answers; each code goes to the UDP port CODES.
import dgram from "node:dgram";
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { phoneNumber } from "better-auth/plugins";

const [folder, port, codes] = process.argv.slice(2);
const database = new Database(`${folder}/peer.db`);
database.pragma("journal_mode = WAL");
const post = dgram.createSocket("udp4");
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: "of the bench, and of nothing else, 0123456789",
  database,
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  advanced: { disableCSRFCheck: true, disableOriginCheck: true },
  plugins: [
    phoneNumber({
      sendOTP: ({ phoneNumber: phone, code }) => post.send(`${phone} ${code}`, Number(codes), "127.0.0.1"),
      signUpOnVerification: { getTempEmail: (phone) => `${phone.slice(1)}@example.org`, getTempName: (phone) => phone },
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();
createServer(toNodeHandler(auth)).listen(Number(port), "127.0.0.1");
