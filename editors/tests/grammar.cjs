// The TextMate grammar as VS Code runs it: what single lines are, and that every example is coloured to its last word.
'use strict';

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const modules = process.env.NODE_MODULES;
const fetched = require('module').createRequire(path.join(modules, 'any.js'));
const oniguruma = fetched('vscode-oniguruma');
const textmate = fetched('vscode-textmate');

const LINES = [
  ['site east {', { site: 'storage.type', east: 'entity.name.type' }],
  ['    finesse = [finesse-1, a.b]', { finesse: 'variable.other.property', 'finesse-1': 'variable.other.reference' }],
  ['  finesse finesse-1 { host = "node" }', { finesse: 'storage.type', host: 'variable.other.property', node: 'string.quoted' }],
  ['bridge amq-1 <-> amq-2 // why', { bridge: 'storage.type', '<->': 'keyword.operator.arrow', '// why': 'comment.line' }],
  ['let fast = 500ms', { let: 'keyword.control', '500ms': 'constant.numeric' }],
  ['  timeout = $fast', { $fast: 'variable.other.constant' }],
  ['  password = secret("env:X")', { secret: 'support.function', 'env:X': 'string.quoted' }],
  ['  randomize = false', { false: 'constant.language' }],
  ['  url = "a // b"', { 'a // b': 'string.quoted' }],
];

async function main() {
  const wasm = fs.readFileSync(path.join(modules, 'vscode-oniguruma', 'release', 'onig.wasm')).buffer;
  await oniguruma.loadWASM(wasm);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => {
      const file = path.join(__dirname, '..', 'vscode', 'topo.tmLanguage.json');
      return textmate.parseRawGrammar(fs.readFileSync(file, 'utf8'), file);
    },
  });
  const grammar = await registry.loadGrammar('source.topo');

  for (const [line, expected] of LINES) {
    const { tokens } = grammar.tokenizeLine(line, textmate.INITIAL);
    for (const [word, scope] of Object.entries(expected)) {
      const at = line.indexOf(word);
      const token = tokens.find((token) => token.startIndex <= at && at < token.endIndex);
      assert(token.scopes.some((found) => found.startsWith(scope)), `${word} in \`${line}\`: ${token.scopes} and not ${scope}`);
    }
  }

  const examples = path.join(__dirname, '..', '..', 'examples');
  const files = fs.readdirSync(examples, { recursive: true }).filter((file) => file.endsWith('.topo'));
  assert(files.length >= 13, `${files.length} examples`);
  for (const file of files) {
    let stack = textmate.INITIAL;
    for (const line of fs.readFileSync(path.join(examples, file), 'utf8').split('\n')) {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
      stack = ruleStack;
      for (const token of tokens) {
        const word = line.slice(token.startIndex, token.endIndex);
        assert(token.scopes.length > 1 || !/\w/.test(word), `${file}: \`${word}\` of \`${line}\` has no scope`);
      }
    }
    assert.strictEqual(stack.depth, 1, `${file} ends inside a text or comment`);
  }
  console.log(`${LINES.length} lines and ${files.length} examples`);
}

main().catch((error) => { console.error(error.message); process.exit(1); });
