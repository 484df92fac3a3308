// The national e-ID of the tests: npm oidc-provider with claims, accounts and pages of our own choosing.
// Reads a JSON file: {port, clients, jwks, accounts: {id: claims}}, for https also {issuer, tls: {key, cert}} in PEM.
// /admin/... changes it while it runs.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import Provider from 'oidc-provider';

const { port, clients, jwks, accounts, issuer, tls } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const faults = new Map(); // path -> status that it answers instead
const stored = new Map();

class Memory {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async upsert(id, payload) { stored.set(this.key(id), payload); }
  async find(id) { return this.model === 'Client' ? clients[id] : stored.get(this.key(id)); }
  async findByUid(uid) { return this.search((payload) => payload.uid === uid); }
  async findByUserCode(code) { return this.search((payload) => payload.userCode === code); }
  async consume(id) { stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { stored.delete(this.key(id)); }
  async revokeByGrantId(grant) {
    for (const [key, payload] of stored) if (payload.grantId === grant) stored.delete(key);
  }
  search(fits) {
    for (const [key, payload] of stored) if (key.startsWith(`${this.model}:`) && fits(payload)) return payload;
    return undefined;
  }
}

const provider = new Provider(issuer ?? `http://127.0.0.1:${port}`, {
  adapter: Memory,
  jwks,
  cookies: { keys: ['tests only'] },
  claims: {
    openid: ['sub'], profile: ['full_name', 'birth_date', 'gender'], phone: ['phone_number'],
    eid: ['national_id', 'assurance_level'],
  },
  scopes: ['openid', 'profile', 'phone', 'eid'],
  acrValues: ['loa1', 'loa2'],
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  enabledJWA: { requestObjectSigningAlgValues: ['ES256'] },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
});

const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function page(uid, prompt) {
  const choice = (id) => `<option value="${escape(id)}">${escape(accounts[id].full_name ?? id)}</option>`;
  const field = prompt === 'login'
    ? `<label>Tài khoản <select name="account">${Object.keys(accounts).map(choice).join('')}</select></label>` : '';
  return `<!doctype html><html lang="vi"><meta charset="utf-8"><title>Định danh điện tử</title><main><h1>Định danh điện tử</h1>
<form method="post" action="/interaction/${uid}">${field}
<button name="answer" value="yes">${prompt === 'login' ? 'Đăng nhập' : 'Đồng ý chia sẻ'}</button>
<button name="answer" value="cancel">Huỷ</button></form></main></html>`;
}

async function grantAll({ params, session, grantId, prompt }) {
  const known = grantId && await provider.Grant.find(grantId);
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  return grant.save();
}

async function interact(request, response) {
  const interaction = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    return response.end(page(interaction.uid, interaction.prompt.name));
  }
  const form = new URLSearchParams(await bodyOf(request));
  let result;
  if (form.get('answer') === 'cancel') result = { error: 'access_denied', error_description: 'người dùng huỷ' };
  else if (interaction.prompt.name === 'consent') result = { consent: { grantId: await grantAll(interaction) } };
  else {
    const accountId = form.get('account');
    if (!accounts[accountId]) return answer(response, 400, { error: 'unknown account' });
    result = { login: { accountId, acr: `loa${accounts[accountId].assurance_level ?? 1}`, amr: ['face'] } };
  }
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function administer(request, response) {
  const sent = JSON.parse(await bodyOf(request) || '{}');
  if (request.url === '/admin/accounts') Object.assign(accounts, sent);
  else if (request.url === '/admin/clients') Object.assign(clients, sent);
  else if (request.url === '/admin/faults') { faults.clear(); for (const [at, what] of Object.entries(sent)) faults.set(at, what); }
  else return answer(response, 404, {});
  return answer(response, 200, {});
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response, status, content) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(content));
}

const standard = provider.callback();
const serve = (request, response) => {
  const path = request.url.split('?')[0];
  const ours = path.startsWith('/interaction/') ? interact : path.startsWith('/admin/') ? administer : undefined;
  if (faults.has(path)) return answer(response, faults.get(path), { error: 'server_error' });
  if (!ours) return standard(request, response);
  return ours(request, response).catch((error) => answer(response, 500, { error: String(error) }));
};
(tls ? https.createServer(tls, serve) : http.createServer(serve)).listen(port, '127.0.0.1');
