// An SMS centre for the tests, on the npm package "smpp": its own codec, its own idea of SMPP.
//
//     node smsc.js [KEY.pem CERT.pem]
//
// Prints one line of JSON for each thing that happens. Takes orders as lines of JSON:
//   {"answers": ["ok", "throttle", "full", "refuse", "silent", "drop", "garbage", "unreadable"]}   for the next messages
//   {"deliver": {...}}   a deliver_sm to every link that can take one; short_message_hex for octets
//   {"raw": "hex"}       octets to every link
//   {"close": true}      cuts every link
//   {"deaf": true}       answers nothing from now on, enquire_link included
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const smpp = require(path.join(process.env.SMPP_MODULES, 'smpp'));

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const sessions = new Set();
let answers = [];
let deaf = false;
let messages = 0;

function octets(value) {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value, 'latin1');
  const udh = Buffer.concat(value.udh || []);
  const head = value.udh ? Buffer.from([udh.length]) : Buffer.alloc(0);
  const message = typeof value.message === 'string' ? Buffer.from(value.message, 'latin1') : value.message;
  return Buffer.concat([head, udh, message || Buffer.alloc(0)]);
}

function submit(session, pdu) {
  const event = { event: 'submit' };
  for (const name of ['source_addr', 'source_addr_ton', 'source_addr_npi', 'destination_addr', 'dest_addr_ton',
    'dest_addr_npi', 'esm_class', 'data_coding', 'registered_delivery', 'sar_msg_ref_num', 'sar_total_segments',
    'sar_segment_seqnum', 'source_port', 'destination_port', 'dest_port']) {
    if (pdu[name] !== undefined) event[name] = pdu[name];
  }
  event.validity = pdu.validity_period instanceof Date;
  event.short_message = octets(pdu.short_message).toString('hex');
  if (pdu.message_payload) event.message_payload = octets(pdu.message_payload).toString('hex');
  const answer = answers.shift() || 'ok';
  event.answer = answer;
  const status = { throttle: 0x58, full: 0x14, refuse: 0x0b, later: 0x64 }[answer];
  if (answer === 'ok') event.id = 'id-' + (++messages);
  say(event);
  if (answer === 'ok') session.send(pdu.response({ message_id: event.id }));
  else if (status !== undefined) session.send(pdu.response({ command_status: status }));
  else if (answer === 'drop') session.socket.destroy();
  else if (answer === 'garbage') session.socket.write('HTTP/1.0 400 Bad Request\r\n\r\n<html>what is this?</html>');
  else if (answer === 'unreadable') {
    // An answer whose id is not terminated.
    const body = Buffer.alloc(16 + 3, 0x41);
    body.writeUInt32BE(body.length, 0);
    body.writeUInt32BE(0x80000004, 4);
    body.writeUInt32BE(0, 8);
    body.writeUInt32BE(pdu.sequence_number, 12);
    session.socket.write(body);
  }
}

function serve(session) {
  sessions.add(session);
  session.on('close', () => { sessions.delete(session); say({ event: 'closed' }); });
  session.on('error', (error) => say({ event: 'error', text: String(error.code || error) }));
  for (const kind of ['transceiver', 'transmitter', 'receiver']) {
    session.on('bind_' + kind, (pdu) => {
      const right = pdu.system_id === 'tester' && pdu.password === 'secret08';
      say({ event: 'bind', kind, right, version: pdu.interface_version, system_type: pdu.system_type });
      session.receives = right && kind !== 'transmitter';
      if (deaf) return;
      session.send(pdu.response(right ? { system_id: 'centre' } : { command_status: 0x0e }));
    });
  }
  session.on('enquire_link', (pdu) => {
    say({ event: 'enquire' });
    if (!deaf) session.send(pdu.response());
  });
  session.on('unbind', (pdu) => { say({ event: 'unbind' }); session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => { if (!deaf) submit(session, pdu); });
}

function order(line) {
  const wanted = JSON.parse(line);
  if (wanted.answers) answers = wanted.answers;
  if (wanted.deaf !== undefined) deaf = wanted.deaf;
  for (const session of sessions) {
    if (wanted.close) session.socket.destroy();
    if (wanted.raw) session.socket.write(Buffer.from(wanted.raw, 'hex'));
    if (wanted.deliver && session.receives) {
      const fields = Object.assign({}, wanted.deliver);
      if (fields.short_message_hex) fields.short_message = Buffer.from(fields.short_message_hex, 'hex');
      delete fields.short_message_hex;
      session.deliver_sm(fields, (pdu) => say({ event: 'delivered', status: pdu.command_status }));
    }
  }
  say({ event: 'done' });
}

const [key, cert] = process.argv.slice(2);
const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
const server = smpp.createServer(options, serve);
server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
readline.createInterface({ input: process.stdin }).on('line', order).on('close', () => process.exit(0));
