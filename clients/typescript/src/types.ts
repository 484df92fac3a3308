// What crosses the wire in flows and sessions. Everything else is in the OpenAPI document, for a generator to read.

/** What a flow can ask for; the next call is named as the step is. */
export type Step = "authorize" | "sign" | "phone" | "otp" | "confirm" | "password" | "done";

/** The tokens of a session; lifetimes in seconds. */
export interface Session {
  access_token: string;
  token_type: "DPoP" | "Bearer";
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
  session_id: string;
}

/** A session as it is kept: `until` is when the access token ends, in milliseconds of this machine's clock. */
export interface Granted extends Session {
  until: number;
}

/** Whose account it is; identifiers and phones are masked. */
export interface Account {
  id: string;
  kind: "citizen" | "enterprise" | "agency";
  full_name: string;
  identifiers: { type: "national_id" | "old_id_number" | "tax_code" | "agency_code"; value: string }[];
  phones: string[];
  assurance_level: number;
  assurance_scheme: "vneid" | "ial";
}

/** The answer of every flow, flat as in the document: which parts are there goes by `step`. Times in seconds. */
export interface FlowAnswer {
  id: string;
  step: Step;
  authorization_url?: string;
  challenge?: string;
  expires_in?: number;
  sent_to?: string;
  resend_in?: number;
  attempts_left?: number;
  delivery?: "uncertain" | null;
  methods?: { id: string; sent_to: string }[];
  subject?: Record<string, unknown>;
  identifier?: Record<string, string>;
  email_required?: boolean;
  session?: Session;
  account?: Account;
  replaced_device?: { name: string; last_seen_at: string } | null;
  phone?: string;
  method?: { id: string; type: string; label: string };
}
