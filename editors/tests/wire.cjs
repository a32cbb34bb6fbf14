// The library that VS Code itself talks with: framing, order, cancelling, what is no message, and the end.
'use strict';

const assert = require('assert');
const { spawn } = require('child_process');
const path = require('path');
const modules = process.env.NODE_MODULES;
const fetched = require('module').createRequire(path.join(modules, 'any.js'));
const protocol = fetched('vscode-languageserver-protocol/node');

const TEXT = 'topology t { activemq = "6.2" }\nsite a {\n  broker b { hots = "b" }\n}\n';
const uri = 'file:///no/such/folder/main.topo';

function start() {
  const server = spawn(process.env.TOPOC, ['lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = new Promise((done) => server.on('exit', done));
  const reader = new protocol.StreamMessageReader(server.stdout);
  const connection = protocol.createProtocolConnection(reader, new protocol.StreamMessageWriter(server.stdin));
  connection.listen();
  return { server, exit, connection };
}

async function initialized(capabilities = {}) {
  const all = start();
  const told = [];
  all.connection.onNotification(protocol.PublishDiagnosticsNotification.type, (params) => {
    told.push(params);
    all.heard?.(params);
  });
  all.next = () => new Promise((heard) => { all.heard = heard; });
  const result = await all.connection.sendRequest(protocol.InitializeRequest.type, {
    processId: process.pid, rootUri: null, capabilities, workspaceFolders: null,
  });
  all.connection.sendNotification(protocol.InitializedNotification.type, {});
  return { ...all, result, told, next: all.next, all };
}

async function journey() {
  const { all, connection, exit, result, server } = await initialized();
  assert.strictEqual(result.capabilities.positionEncoding, 'utf-16');
  assert.strictEqual(result.capabilities.textDocumentSync.change, 2);
  let heard = all.next();
  connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'topo', version: 1, text: TEXT } });
  let params = await heard;
  assert.strictEqual(params.version, 1);
  assert.strictEqual(params.diagnostics[0].code, 'TOPO0003');

  // Content that is no message is answered, and leaves the connection whole.
  let heardBytes = '';
  server.stdout.on('data', (bytes) => { heardBytes += bytes; });
  server.stdin.write('Content-Length: 5\r\n\r\n{"a":');
  await assert.rejects(connection.sendRequest('no/such/method', {}), (error) => error.code === -32601);
  await assert.rejects(
    connection.sendRequest('textDocument/hover', { textDocument: { uri: 'file:///x' }, position: { line: 0, character: 0 } }),
    (error) => error.code === -32602,
  );
  assert.match(heardBytes, /"id":null,"error":\{"code":-32700,/);

  heard = all.next();
  const range = { start: { line: 2, character: 13 }, end: { line: 2, character: 17 } };
  connection.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: 2 }, contentChanges: [{ range, text: 'host' }],
  });
  params = await heard;
  assert.deepStrictEqual([params.version, params.diagnostics.filter((one) => one.severity === 1)], [2, []]);

  assert.strictEqual(await connection.sendRequest('shutdown'), null);
  connection.sendNotification('exit');
  assert.strictEqual(await exit, 0);
}

async function leavingEarly() {
  const { connection, exit } = await initialized();
  connection.sendNotification('exit');
  assert.strictEqual(await exit, 1);
  const second = start();
  second.server.stdin.end();
  assert.strictEqual(await second.exit, 1);
}

journey().then(leavingEarly).then(
  () => { console.log('framing, errors, order and exit codes are as they should be'); process.exit(0); },
  (error) => { console.error(error); process.exit(1); },
);
