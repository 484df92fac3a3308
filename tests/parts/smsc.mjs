// The SMS centre of the tests: SMPP 3.4 by npm smpp, read and steered over HTTP.
// node smsc.mjs SMPP_PORT HTTP_PORT; GET and DELETE /messages, PUT /mode with accept, reject or down.
import http from 'node:http';
import smpp from 'smpp';

const [smppPort, httpPort] = process.argv.slice(2).map(Number);
const ESME_RSUBMITFAIL = 0x45;
const ESME_RBINDFAIL = 0x0d;
const sessions = new Set();
let messages = [];
let pieces = new Map(); // of messages longer than one SMS
let mode = 'accept';
let count = 0;

function textOf(message) {
  return typeof message === 'string' ? message : message.toString('utf8');
}

// one SMS, or a piece of a longer one: the user data header names the whole, how many and which (3GPP TS 23.040 §9.2.3.24.1)
function receive(pdu) {
  const { message, udh } = pdu.short_message;
  const header = (udh ?? []).find((element) => element[0] === 0x00);
  const from = pdu.source_addr;
  const to = pdu.destination_addr;
  if (!header) return keep({ from, to, text: textOf(message), parts: 1, data_coding: pdu.data_coding });
  const [, , reference, total, number] = header;
  const whole = `${from} ${to} ${reference}`;
  const have = pieces.get(whole) ?? [];
  have[number - 1] = textOf(message);
  pieces.set(whole, have);
  if (have.filter((piece) => piece !== undefined).length < total) return undefined;
  pieces.delete(whole);
  return keep({ from, to, text: have.join(''), parts: total, data_coding: pdu.data_coding });
}

function keep(message) {
  messages.push(message);
}

smpp.createServer((session) => {
  if (mode === 'down') return session.destroy();
  sessions.add(session);
  session.on('error', () => sessions.delete(session));
  session.on('close', () => sessions.delete(session));
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(bind, (pdu) => session.send(pdu.response({ command_status: pdu.password === 'tests' ? 0 : ESME_RBINDFAIL })));
  }
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    if (mode === 'reject') return session.send(pdu.response({ command_status: ESME_RSUBMITFAIL }));
    receive(pdu);
    count += 1;
    return session.send(pdu.response({ message_id: String(count) }));
  });
  return undefined;
}).listen(smppPort, '127.0.0.1');

http.createServer(async (request, response) => {
  if (request.method === 'DELETE') { messages = []; pieces = new Map(); }
  if (request.method === 'PUT') {
    mode = '';
    for await (const chunk of request) mode += chunk;
    if (mode === 'down') for (const session of sessions) session.destroy();
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ bound: sessions.size, messages }));
}).listen(httpPort, '127.0.0.1');
