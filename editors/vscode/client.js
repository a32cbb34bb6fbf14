// Starts `topoc lsp` for topology files and hands it what the editor says.
'use strict';

const { window, workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

async function activate() {
  const command = workspace.getConfiguration('topoc').get('path', 'topoc');
  const server = { command, args: ['lsp'] };
  const options = {
    documentSelector: [{ language: 'topo' }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher('**/*.topo') },
  };
  client = new LanguageClient('topoc', 'topoc', server, options);
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(`topoc: cannot start \`${command} lsp\`: set \`topoc.path\` (${error.message})`);
  }
}

function deactivate() {
  return client && client.stop();
}

module.exports = { activate, deactivate };
